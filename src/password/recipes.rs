//! How the stored passwords were hashed, as far as this node knows: what it saw itself, and what any node noted in the
//! database. It decides nothing but how even answers are, so it may be a little behind.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use db::Db;
use passhash::{Recipe, StoredHash};

use super::store;
use crate::error::Error;

/// The recipes of the passwords that are stored.
#[derive(Default)]
pub(super) struct Recipes(RwLock<Known>);

#[derive(Default)]
struct Known {
    /// In the database when it was last asked.
    noted: BTreeMap<String, Recipe>,
    /// Seen since, and perhaps not there yet.
    seen: BTreeMap<String, Recipe>,
}

impl Recipes {
    /// Takes in how a hash was made; whether that was not known.
    pub(super) fn see(&self, hash: &StoredHash) -> bool {
        let text = hash.recipe_text();
        let is_known = {
            let known = self.read();
            known.noted.contains_key(text) || known.seen.contains_key(text)
        };
        if !is_known {
            self.write().seen.insert(text.to_owned(), hash.recipe());
        }
        !is_known
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Recipe> {
        let known = self.read();
        known
            .noted
            .values()
            .chain(known.seen.values())
            .cloned()
            .collect()
    }

    /// Tells the other nodes what was seen here, and takes in what they have told; whether anything is another than it was.
    pub(super) async fn refresh(&self, db: &Db) -> Result<bool, Error> {
        let seen: Vec<String> = self.read().seen.keys().cloned().collect();
        for text in &seen {
            db.write(store::note_recipe(text)).await?;
        }
        let noted = store::recipes(db).await?;
        // What is not one here was noted by a node that knows more schemes, which verifies such hashes itself.
        let noted: BTreeMap<String, Recipe> = noted
            .into_iter()
            .filter_map(|text| Some((text.clone(), text.parse().ok()?)))
            .collect();
        let mut known = self.write();
        let is_another = !known.noted.keys().eq(noted.keys());
        known.noted = noted;
        known.seen.retain(|text, _| !seen.contains(text));
        Ok(is_another)
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks through all passwords for recipes that nobody noted, and strikes out those that no password is of any more. It
/// reads every row several times, so it has no place on anybody's way.
pub async fn survey(db: &Db) -> Result<(), Error> {
    let mut user = String::new();
    while let Some((next, hash)) = store::next_of_unknown_recipe(db, &user).await? {
        match hash.parse::<StoredHash>() {
            Ok(hash) => {
                let recipe = hash.recipe();
                db.write(store::note_recipe(recipe.as_str())).await?;
            }
            Err(error) => {
                tracing::warn!(%error, user_id = next, "a stored password can be verified by nobody");
            }
        }
        user = next;
    }
    // One that is used again meanwhile is noted again: when it is seen, or by the next survey. Looking and striking out in
    // one statement would keep every other write waiting for as long as the look takes.
    for recipe in store::unused_recipes(db).await? {
        db.write(store::forget_recipe(&recipe)).await?;
    }
    Ok(())
}
