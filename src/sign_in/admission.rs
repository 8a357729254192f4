//! Who may try at all: the device that the account knows in its own lane, everybody else in one.

use super::Attempt;
use crate::app::App;
use crate::attempts::Permit;
use crate::attempts::device::Device;
use crate::error::Error;
use crate::http::Asking;
use crate::ids::UserId;
use crate::password::Account;

/// The device that sent this, and whose it is, if the account was signed in to with it since its password was set.
pub(super) fn known_device(
    app: &App,
    attempt: &Attempt,
    account: Option<&Account>,
    asking: &Asking,
) -> Option<(Device, UserId)> {
    let Account { user, set_at, .. } = account?;
    let text = attempt.device.as_ref()?.expose();
    let device = Device::read(text, &user.id, (*set_at)?, &app.stamp, asking.now)?;
    Some((device, user.id.clone()))
}

/// Leave to try once.
pub(super) async fn permit(
    app: &App,
    attempt: &Attempt,
    device: Option<&(Device, UserId)>,
    asking: &Asking,
) -> Result<Permit, Error> {
    if !app.config.limits.enabled {
        return Ok(Permit::unlimited());
    }
    let device = device.map(|(device, user)| (device, user));
    Permit::take(&app.db, &app.stamp, attempt.email.key(), device, asking.now).await
}
