//! Switches and functions.

use std::time::Duration;

use tokio::time::sleep;

use super::Client;
use crate::command::{MOSFET_CONTROL, MosfetSide, REMAINING_CAPACITY};
use crate::login::ModuleRequest;
use crate::session::{Call, Reply, SessionError};
use crate::{
    BalanceTest, BasicInfo, Command, Error, Function, Heating, Mosfets, Password, Protection,
    Status, Transport,
};

/// When to look whether a MOSFET followed, after its command was acknowledged.
const READ_BACK_AFTER: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_millis(600),
    Duration::from_millis(1000),
];

/// One count of remaining capacity, and what the board's own rounding may differ by.
const CAPACITY_TOLERANCE_MAH: u32 = 200;

impl<T: Transport> Client<T> {
    /// Releases or switches off the MOSFETs (register 0xE1, or 0xFB on boards
    /// that do not know it) and reads back what they do.
    ///
    /// Switching discharge off cuts the power of everything on the pack, a
    /// gateway running from it included.
    ///
    /// Not cancel safe: dropped after the request left, the effect is unknown.
    ///
    /// # Errors
    ///
    /// [`Error::NotEffective`] if the board acknowledges but a MOSFET does not
    /// follow within two seconds, as while a protection holds it off; otherwise
    /// any [`Error`].
    pub async fn set_mosfets(
        &mut self,
        charge_on: bool,
        discharge_on: bool,
    ) -> Result<Mosfets, Error> {
        self.wake().await?;
        self.switch(charge_on, discharge_on).await?;
        self.read_back(|mosfets| {
            (mosfets.charge_on(), mosfets.discharge_on()) == (charge_on, discharge_on)
        })
        .await
    }

    /// Releases or switches off the charge MOSFET only, as
    /// [`set_mosfets`](Self::set_mosfets) does both. The discharge MOSFET stays
    /// switched off if it was switched off by request: as far as this client knows
    /// ([`released`](Self::released)), or, if it does not know, unless a protection
    /// holds it off and the software lock is explained by the charge MOSFET.
    ///
    /// # Errors
    ///
    /// As for [`set_mosfets`](Self::set_mosfets).
    pub async fn set_charge_mosfet(&mut self, on: bool) -> Result<Mosfets, Error> {
        let info = self.basic_info().await?;
        let discharge_on = stays_released(
            &info,
            Side {
                conducts: info.mosfets.discharge_on(),
                released: self.released.map(|(_, discharge)| discharge),
                protections: &HOLD_DISCHARGE,
            },
            !info.mosfets.charge_on(),
        );
        self.switch(on, discharge_on).await?;
        self.read_back(|mosfets| mosfets.charge_on() == on).await
    }

    /// Releases or switches off the discharge MOSFET only, as
    /// [`set_charge_mosfet`](Self::set_charge_mosfet) does the charge MOSFET.
    ///
    /// # Errors
    ///
    /// As for [`set_mosfets`](Self::set_mosfets).
    pub async fn set_discharge_mosfet(&mut self, on: bool) -> Result<Mosfets, Error> {
        let info = self.basic_info().await?;
        let charge_on = stays_released(
            &info,
            Side {
                conducts: info.mosfets.charge_on(),
                released: self.released.map(|(charge, _)| charge),
                protections: &HOLD_CHARGE,
            },
            !info.mosfets.discharge_on(),
        );
        self.switch(charge_on, on).await?;
        self.read_back(|mosfets| mosfets.discharge_on() == on).await
    }

    /// The charge and the discharge MOSFET as this client left them: true if
    /// released. Boards tell only that one of them is off by request, not which.
    #[must_use]
    pub fn released(&self) -> Option<(bool, bool)> {
        self.released
    }

    async fn switch(&mut self, charge_on: bool, discharge_on: bool) -> Result<(), Error> {
        let command = Command::Mosfets {
            charge_on,
            discharge_on,
        };
        self.released = None;
        match self.write(&command).await {
            Err(Error::Refused {
                status: Status::Unsupported,
                ..
            }) => {
                for (side, on) in [
                    (MosfetSide::Charge, charge_on),
                    (MosfetSide::Discharge, discharge_on),
                ] {
                    self.write(&Command::Mosfet { side, on }).await?;
                }
            }
            other => other?,
        }
        self.released = Some((charge_on, discharge_on));
        Ok(())
    }

    async fn read_back(&mut self, fits: impl Fn(Mosfets) -> bool + Send) -> Result<Mosfets, Error> {
        for pause in READ_BACK_AFTER {
            sleep(pause).await;
            let mosfets = self.basic_info().await?.mosfets;
            if fits(mosfets) {
                return Ok(mosfets);
            }
        }
        Err(Error::NotEffective {
            register: MOSFET_CONTROL,
        })
    }

    /// Carries out a function of register 0x0A.
    ///
    /// Not cancel safe: dropped after the request left, the effect is unknown.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with [`Status::Unsupported`] on older firmware;
    /// otherwise any [`Error`].
    pub async fn run(&mut self, function: Function) -> Result<(), Error> {
        self.wake().await?;
        self.write(&Command::Function(function)).await
    }

    /// Derives the state of charge from the voltage again (register 0x0A).
    ///
    /// Not cancel safe: dropped after the request left, the effect is unknown.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run).
    pub async fn reset_state_of_charge(&mut self) -> Result<(), Error> {
        self.run(Function::ResetStateOfCharge).await
    }

    /// Controls the heater (register 0xFC).
    ///
    /// Not cancel safe: dropped after the request left, the effect is unknown.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::Refused`] where there is no heater.
    pub async fn heat(&mut self, heating: Heating) -> Result<(), Error> {
        self.wake().await?;
        self.write(&Command::Heating(heating)).await
    }

    /// Sets the charge left, mAh in steps of 10 or 100, inside factory mode
    /// (register 0xE0), and reads it back.
    ///
    /// Not cancel safe: the next call leaves factory mode.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] if it does not fit the register;
    /// [`Error::NotEffective`] if the board shows another value afterwards;
    /// otherwise any [`Error`].
    pub async fn set_remaining_capacity(&mut self, mah: u32) -> Result<(), Error> {
        let unit = u32::from(self.count_unit().await?);
        let counts = u16::try_from(mah / unit)
            .map_err(|_| Error::InvalidValue(format!("{mah} mAh do not fit the register")))?;
        self.enter_factory_mode().await?;
        let command = Command::SetRemainingCapacity {
            mah: u32::from(counts) * 10,
        };
        let outcome = self.write(&command).await;
        self.leave_factory_mode(outcome, false).await?;
        let shown = self.basic_info().await?.remaining_capacity_mah;
        if shown.abs_diff(mah) > CAPACITY_TOLERANCE_MAH + unit {
            return Err(Error::NotEffective {
                register: REMAINING_CAPACITY,
            });
        }
        Ok(())
    }

    /// Opens or closes balancing switches for a test (register 0xE2). Entering
    /// and leaving factory mode again ends the test.
    ///
    /// Not cancel safe: the next call leaves factory mode.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn balance_test(&mut self, test: BalanceTest) -> Result<(), Error> {
        self.enter_factory_mode().await?;
        let outcome = self.write(&Command::BalanceTest(test)).await;
        self.leave_factory_mode(outcome, false).await
    }

    /// Changes the board's six digits (register 0x07) from those given to
    /// [`with_password`](Self::with_password).
    ///
    /// Not cancel safe: dropped after the request left, either password may hold.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] unless the new password is six digits;
    /// [`Error::PasswordNeeded`] without an old one of six digits; [`Error::PasswordRejected`]
    /// if the board does not take the old one; otherwise any [`Error`].
    pub async fn change_password(&mut self, new: impl Into<Password> + Send) -> Result<(), Error> {
        let new = new.into();
        let old = self.digits().ok_or(Error::PasswordNeeded)?;
        let digits = new
            .digits()
            .ok_or_else(|| Error::InvalidValue("the password must be six digits".into()))?;
        self.wake().await?;
        match self
            .write(&Command::PasswordChange { old, new: digits })
            .await
        {
            Err(Error::Refused {
                status: Status::PasswordWrong,
                ..
            }) => Err(Error::PasswordRejected),
            Ok(()) => {
                self.password = Some(new);
                self.logged_in = false;
                Ok(())
            }
            other => other,
        }
    }

    /// Removes the board's six digits (register 0x09), which needs no login.
    ///
    /// Not cancel safe: dropped after the request left, the effect is unknown.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn clear_password(&mut self) -> Result<(), Error> {
        self.wake().await?;
        self.write(&Command::PasswordClear).await
    }

    /// Sets the name that the Bluetooth module advertises.
    ///
    /// Not cancel safe: dropped after the request left, the effect is unknown.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] unless it is 1 to 20 printable ASCII characters;
    /// [`Error::MaybeSent`] where the module does not answer.
    pub async fn set_advertised_name(&mut self, name: &str) -> Result<(), Error> {
        let request = ModuleRequest::set_name(name).ok_or_else(|| {
            Error::InvalidValue("a name is 1 to 20 printable ASCII characters".into())
        })?;
        self.ask_module(request).await.map(|_| ())
    }

    /// Sets the password of the Bluetooth module, which must be logged in to.
    ///
    /// Not cancel safe: dropped after the request left, either password may hold.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] unless it is six ASCII letters or digits;
    /// [`Error::PasswordRejected`] if the module does not take it;
    /// [`Error::MaybeSent`] where the module does not answer.
    pub async fn set_module_password(
        &mut self,
        new: impl Into<Password> + Send,
    ) -> Result<(), Error> {
        let new = new.into();
        let request = ModuleRequest::set_password(&new).ok_or_else(|| {
            Error::InvalidValue("the password must be six ASCII letters or digits".into())
        })?;
        match self.ask_module(request).await?.as_slice() {
            [0] => {
                self.password = Some(new);
                Ok(())
            }
            _ => Err(Error::PasswordRejected),
        }
    }

    async fn ask_module(&mut self, request: ModuleRequest) -> Result<Vec<u8>, Error> {
        self.wake().await?;
        match self.exchange(Call::Module(request)).await? {
            Ok(Reply::Module { data, .. }) => Ok(data),
            Err(SessionError::Echoed) => Err(Error::PairingNeeded),
            Ok(Reply::Register { .. }) | Err(SessionError::TimedOut { .. }) => {
                Err(Error::MaybeSent(std::io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

/// What holds the charge MOSFET off without anybody's request.
const HOLD_CHARGE: [Protection; 6] = [
    Protection::CellOvervoltage,
    Protection::PackOvervoltage,
    Protection::ChargeOvertemperature,
    Protection::ChargeUndertemperature,
    Protection::ChargeOvercurrent,
    Protection::FrontEndError,
];

/// The same for the discharge MOSFET.
const HOLD_DISCHARGE: [Protection; 7] = [
    Protection::CellUndervoltage,
    Protection::PackUndervoltage,
    Protection::DischargeOvertemperature,
    Protection::DischargeUndertemperature,
    Protection::DischargeOvercurrent,
    Protection::ShortCircuit,
    Protection::FrontEndError,
];

/// The MOSFET that a command is not about.
#[derive(Clone, Copy)]
struct Side<'a> {
    conducts: bool,
    /// As this client left it.
    released: Option<bool>,
    /// What holds it off.
    protections: &'a [Protection],
}

/// Whether `side` is to be written as released. One that is off without the lock
/// is held off by a protection, which must not become a lock. Under the lock the
/// board does not tell which side it holds; `explained` if the other one is off.
fn stays_released(info: &BasicInfo, side: Side<'_>, explained: bool) -> bool {
    let locked = info.protection.contains(Protection::MosfetSoftwareLock);
    let active = |of: &Protection| info.protection.contains(*of);
    let held = || explained && side.protections.iter().any(active);
    side.conducts || !locked || side.released.unwrap_or_else(held)
}
