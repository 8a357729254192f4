//! Room for connections: so many in all, so many for one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{IsShared, Limits};
use crate::http::client::AddressKey;

/// All the places there are.
pub(super) struct Places {
    free: Arc<Semaphore>,
    /// Whether the last to come had to wait: said once, not for each.
    full: AtomicBool,
    per_address: usize,
    taken: Mutex<HashMap<AddressKey, usize>>,
    is_shared: IsShared,
}

/// Room for one connection, given back when dropped.
pub(super) struct Place {
    _free: OwnedSemaphorePermit,
    counted: Option<(Arc<Places>, AddressKey)>,
}

impl Places {
    pub(super) fn new(limits: &Limits, is_shared: IsShared) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(limits.connections)),
            full: AtomicBool::new(false),
            per_address: limits.connections_per_address,
            taken: Mutex::default(),
            is_shared,
        })
    }

    /// Waits until one of all the places is free.
    pub(super) async fn free(&self) -> OwnedSemaphorePermit {
        let full = self.free.available_permits() == 0;
        if full && !self.full.swap(true, Ordering::Relaxed) {
            tracing::warn!("all places for connections are taken; new ones wait until others end");
        }
        let Ok(permit) = Arc::clone(&self.free).acquire_owned().await else {
            unreachable!("the semaphore is never closed");
        };
        if !full {
            self.full.store(false, Ordering::Relaxed);
        }
        permit
    }

    /// Takes the free place for a connection from `address`, unless that address has its share already.
    pub(super) fn take(
        self: &Arc<Self>,
        free: OwnedSemaphorePermit,
        address: IpAddr,
    ) -> Option<Place> {
        let address = address.to_canonical();
        if (self.is_shared)(address) {
            return Some(Place {
                _free: free,
                counted: None,
            });
        }
        let key = AddressKey::of(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(key).or_insert(0);
        if *count >= self.per_address {
            tracing::debug!(address = %key, "a connection was closed: this address has its share of them already");
            return None;
        }
        *count += 1;
        Some(Place {
            _free: free,
            counted: Some((Arc::clone(self), key)),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((places, key)) = self.counted.take() else {
            return;
        };
        let mut taken = places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(connections: usize, per_address: usize) -> Arc<Places> {
        let limits = Limits {
            connections,
            connections_per_address: per_address,
            ..Limits::default()
        };
        let shared: IpAddr = "203.0.113.9".parse().expect("an address");
        Places::new(&limits, Arc::new(move |address| address == shared))
    }

    async fn take(places: &Arc<Places>, address: &str) -> Option<Place> {
        let free = places.free().await;
        places.take(free, address.parse().expect("an address"))
    }

    #[tokio::test]
    async fn an_address_has_its_share_and_no_more() {
        let places = places(100, 2);
        let first = take(&places, "192.0.2.1").await;
        let second = take(&places, "::ffff:192.0.2.1").await;
        assert!(first.is_some() && second.is_some());
        assert!(take(&places, "192.0.2.1").await.is_none());
        assert!(take(&places, "192.0.2.2").await.is_some());
        drop(first);
        assert!(take(&places, "192.0.2.1").await.is_some());
    }

    #[tokio::test]
    async fn d5_a_64_is_one_address() {
        let places = places(100, 1);
        let first = take(&places, "2001:db8:0:1::1").await;
        assert!(first.is_some());
        assert!(take(&places, "2001:db8:0:1:ffff::2").await.is_none());
        assert!(take(&places, "2001:db8:0:2::1").await.is_some());
    }

    #[tokio::test]
    async fn addresses_of_many_people_are_not_counted() {
        let places = places(100, 1);
        for address in ["203.0.113.9", "::ffff:203.0.113.9"] {
            let kept = [take(&places, address).await, take(&places, address).await];
            assert!(kept.iter().all(Option::is_some), "{address}");
        }
    }

    #[tokio::test]
    async fn nothing_is_remembered_of_addresses_that_have_left() {
        let places = places(100, 2);
        for last in 0..50 {
            drop(take(&places, &format!("192.0.2.{last}")).await);
        }
        assert!(places.taken.lock().expect("not poisoned").is_empty());
        assert_eq!(places.free.available_permits(), 100);
    }
}
