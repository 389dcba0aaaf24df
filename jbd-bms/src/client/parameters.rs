//! Factory mode and what it opens.

use std::time::Duration;

use tokio::time::sleep;

use super::{Client, optional};
use crate::command::Command;
use crate::frame::Request;
use crate::parameters::{
    Calibration, Difference, Guard, Parameter, ParameterBlock, ParameterSet, ParameterValue,
};
use crate::{BasicInfo, DecodeError, Error, Status, Transport, UnitScale};

/// Boards need several attempts at times.
const ENTER_ATTEMPTS: u8 = 5;
const ENTER_PAUSE: Duration = Duration::from_millis(300);
/// Leaving twice does no harm; staying inside does.
const LEAVE_ATTEMPTS: u8 = 3;

/// How to write parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriteOptions {
    /// Keep the values when the board loses power. This sets the error counts
    /// back to zero.
    pub save: bool,
    /// Write [guarded](Guard::Guarded) parameters and counters, too, and pass
    /// over [`ParameterSet::check`].
    pub force: bool,
}

impl WriteOptions {
    /// Keep the values when the board loses power.
    #[must_use]
    pub fn save(mut self) -> Self {
        self.save = true;
        self
    }

    /// Write guarded parameters, and values that contradict each other.
    #[must_use]
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }
}

impl<T: Transport> Client<T> {
    /// Reads one parameter.
    ///
    /// Cancel safe: the next call leaves factory mode.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with [`Status::Unsupported`] if the board does not know
    /// it; otherwise any [`Error`].
    pub async fn parameter(&mut self, parameter: Parameter) -> Result<ParameterValue, Error> {
        let found = self.parameters(&[parameter]).await?;
        found.get(parameter).cloned().ok_or(Error::Refused {
            register: address(parameter),
            status: Status::Unsupported,
        })
    }

    /// Reads parameters. Those that the board does not know are missing from the
    /// result.
    ///
    /// Cancel safe: the next call leaves factory mode.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn parameters(&mut self, wanted: &[Parameter]) -> Result<ParameterSet, Error> {
        let scale = self.scale().await?;
        self.enter_factory_mode().await?;
        let outcome = self.parameters_inside(wanted, scale).await;
        self.leave_factory_mode(outcome, false).await
    }

    /// Reads every parameter that the board knows.
    ///
    /// Cancel safe: the next call leaves factory mode.
    ///
    /// # Errors
    ///
    /// Any [`Error`].
    pub async fn backup(&mut self) -> Result<ParameterSet, Error> {
        self.parameters(Parameter::ALL).await
    }

    /// Makes the board's parameters those of `wanted`: reads what they are,
    /// checks what they would become, writes what differs and reads it back.
    /// Tells what was written. Parameters missing from `wanted` stay as they are.
    ///
    /// Not cancel safe: dropped half way, some parameters are written. The next
    /// call leaves factory mode without saving.
    ///
    /// # Errors
    ///
    /// Before anything is written: [`Error::InvalidValue`] for a value that does
    /// not fit or contradicts another, and, unless forced, [`Error::Guarded`] for
    /// a difference in a [guarded](Guard::Guarded) parameter.
    /// [`Error::NotEffective`] if reading back shows another value; otherwise any
    /// [`Error`].
    pub async fn write_parameters(
        &mut self,
        wanted: &ParameterSet,
        options: WriteOptions,
    ) -> Result<Vec<Difference>, Error> {
        let scale = self.scale().await?;
        for (parameter, value) in wanted.iter() {
            encoded(parameter, value, scale)?;
        }
        self.enter_factory_mode().await?;
        let outcome = self.write_inside(wanted, options, scale).await;
        self.leave_factory_mode(outcome, options.save).await
    }

    /// Writes a backup back: [`write_parameters`](Self::write_parameters), but
    /// counters and identities stay as they are unless forced.
    ///
    /// Not cancel safe, in the same way.
    ///
    /// # Errors
    ///
    /// As for [`write_parameters`](Self::write_parameters).
    pub async fn restore(
        &mut self,
        backup: &ParameterSet,
        options: WriteOptions,
    ) -> Result<Vec<Difference>, Error> {
        let settings = backup
            .iter()
            .filter(|(parameter, _)| options.force || parameter.guard() != Guard::Counter)
            .map(|(parameter, value)| (parameter, value.clone()))
            .collect();
        self.write_parameters(&settings, options).await
    }

    /// Switches single [function bits](crate::parameters::function_bits) on and
    /// off, leaving the others as they are, and reads them back.
    ///
    /// Not cancel safe, as [`write_parameters`](Self::write_parameters).
    ///
    /// # Errors
    ///
    /// As for [`write_parameters`](Self::write_parameters).
    pub async fn set_function_bits(
        &mut self,
        on: u16,
        off: u16,
        options: WriteOptions,
    ) -> Result<(), Error> {
        let now = match self.parameter(Parameter::FunctionBits).await? {
            ParameterValue::Bits(bits) => bits,
            _ => 0,
        };
        let mut wanted = ParameterSet::new();
        let bits = now & !off | on;
        wanted.insert(Parameter::FunctionBits, ParameterValue::Bits(bits));
        self.write_parameters(&wanted, options).await.map(|_| ())
    }

    /// Reads numbered parameters as they are (register 0xFA), which needs no
    /// factory mode; `None` if the board does not know the register.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a read.
    pub async fn parameter_block(
        &mut self,
        first: u16,
        count: u8,
    ) -> Result<Option<ParameterBlock>, Error> {
        self.wake().await?;
        self.block_inside(first, count).await
    }

    /// Tells the board what a meter shows. Refused unless forced.
    ///
    /// Not cancel safe: the next call leaves factory mode.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] if a number is out of its range or
    /// [`WriteOptions::force`] is not set; otherwise any [`Error`].
    pub async fn calibrate(
        &mut self,
        calibration: Calibration,
        options: WriteOptions,
    ) -> Result<(), Error> {
        let request = calibration
            .request()
            .ok_or_else(|| Error::InvalidValue("calibration value out of range".into()))?;
        if !options.force {
            return Err(Error::InvalidValue("calibration must be forced".into()));
        }
        self.enter_factory_mode().await?;
        let outcome = self.write_request(request).await.map(|_| ());
        self.leave_factory_mode(outcome, options.save).await
    }

    pub(super) async fn enter_factory_mode(&mut self) -> Result<(), Error> {
        self.wake().await?;
        if self.digits().is_some() && !self.logged_in {
            self.log_in_to_board().await?;
        }
        // From here on the board may be inside, whatever the answer.
        self.factory_mode = true;
        let mut attempt = 1;
        loop {
            match self.write(&Command::EnterFactoryMode).await {
                Ok(()) => return Ok(()),
                Err(error @ Error::MaybeSent(_)) if attempt == ENTER_ATTEMPTS => return Err(error),
                Err(Error::MaybeSent(cause)) if is_silence(&cause) => {}
                Err(
                    error @ Error::Refused {
                        status: Status::Unsupported | Status::NotAllowed | Status::PasswordWrong,
                        ..
                    },
                ) => {
                    self.factory_mode = false;
                    return Err(error);
                }
                Err(Error::Refused { .. }) if attempt < ENTER_ATTEMPTS => {}
                Err(error) => return Err(error),
            }
            attempt += 1;
            sleep(ENTER_PAUSE).await;
        }
    }

    /// Leaves whatever happened inside. What happened is the result, unless only
    /// leaving failed. Nothing is saved after a failure.
    pub(super) async fn leave_factory_mode<R>(
        &mut self,
        outcome: Result<R, Error>,
        save: bool,
    ) -> Result<R, Error> {
        let save = save && outcome.is_ok();
        let left = self.leave(save).await;
        let result = outcome?;
        left?;
        Ok(result)
    }

    /// Leaves factory mode if a call that was dropped, or a lost link, left it
    /// open.
    pub(super) async fn close_factory_mode(&mut self) -> Result<(), Error> {
        if !self.factory_mode {
            return Ok(());
        }
        if self.answered_at.is_none() {
            self.read_request(Command::BasicInfo.request()).await?;
        }
        match self.leave(false).await {
            // A board that does not know what to leave is not inside.
            Ok(()) | Err(Error::Refused { .. }) => {
                self.factory_mode = false;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn leave(&mut self, save: bool) -> Result<(), Error> {
        let mut attempt = 1;
        loop {
            match self.write(&Command::LeaveFactoryMode { save }).await {
                Err(Error::MaybeSent(cause)) if is_silence(&cause) && attempt < LEAVE_ATTEMPTS => {
                    attempt += 1;
                }
                Ok(()) => {
                    self.factory_mode = false;
                    return Ok(());
                }
                other => return other,
            }
        }
    }

    async fn parameters_inside(
        &mut self,
        wanted: &[Parameter],
        scale: UnitScale,
    ) -> Result<ParameterSet, Error> {
        let mut found = ParameterSet::new();
        let mut blocks_known = true;
        for &parameter in wanted {
            if parameter.register().is_none() && !blocks_known {
                continue;
            }
            match self.parameter_inside(parameter, scale).await? {
                Some(value) => found.insert(parameter, value),
                None if parameter.register().is_none() => blocks_known = false,
                None => {}
            }
        }
        Ok(found)
    }

    async fn parameter_inside(
        &mut self,
        parameter: Parameter,
        scale: UnitScale,
    ) -> Result<Option<ParameterValue>, Error> {
        let data = match (parameter.register(), parameter.number()) {
            (Some(register), _) => optional(self.ask(Request::read(register)).await)?,
            (None, Some(number)) => {
                let block = self.block_inside(number, parameter.words()).await?;
                block.map(|block| block.values.iter().flat_map(|v| v.to_be_bytes()).collect())
            }
            (None, None) => None,
        };
        let value = data.map(|data| parameter.decode(&data, scale));
        Ok(value.transpose()?)
    }

    async fn block_inside(
        &mut self,
        first: u16,
        count: u8,
    ) -> Result<Option<ParameterBlock>, Error> {
        let request = ParameterBlock::read(first, count);
        let register = request.register();
        let Some(data) = optional(self.ask_optional(request).await)? else {
            return Ok(None);
        };
        let block = ParameterBlock::decode(&data)?;
        if block.first != first || block.values.len() != usize::from(count) {
            return Err(DecodeError::OtherParameters { register }.into());
        }
        Ok(Some(block))
    }

    async fn write_inside(
        &mut self,
        wanted: &ParameterSet,
        options: WriteOptions,
        scale: UnitScale,
    ) -> Result<Vec<Difference>, Error> {
        let touched: Vec<Parameter> = wanted.iter().map(|(parameter, _)| parameter).collect();
        let now = self.parameters_inside(&touched, scale).await?;
        let differences = now.diff(wanted);
        if differences.is_empty() {
            return Ok(differences);
        }
        if let Some(unknown) = differences.iter().find(|d| d.from.is_none()) {
            return Err(Error::Refused {
                register: address(unknown.parameter),
                status: Status::Unsupported,
            });
        }
        if !options.force {
            let guarded = |d: &&Difference| d.parameter.guard() == Guard::Guarded;
            if let Some(difference) = differences.iter().find(guarded) {
                return Err(Error::Guarded(difference.parameter));
            }
            self.check_inside(now, wanted, scale).await?;
        }
        for difference in &differences {
            let Difference { parameter, to, .. } = difference;
            let data = encoded(*parameter, to, scale)?;
            self.write_parameter_inside(*parameter, &data).await?;
        }
        let touched: Vec<Parameter> = differences
            .iter()
            .map(|difference| difference.parameter)
            .collect();
        let shown = self.parameters_inside(&touched, scale).await?;
        match differences
            .iter()
            .find(|d| shown.get(d.parameter) != Some(&d.to))
        {
            Some(unchanged) => Err(Error::NotEffective {
                register: address(unchanged.parameter),
            }),
            None => Ok(differences),
        }
    }

    /// Refuses contradictions that `wanted` would add to those the board has.
    async fn check_inside(
        &mut self,
        mut values: ParameterSet,
        wanted: &ParameterSet,
        scale: UnitScale,
    ) -> Result<(), Error> {
        let limits: Vec<Parameter> = Parameter::ALL
            .iter()
            .copied()
            .filter(|&limit| limit.is_checked() && values.get(limit).is_none())
            .collect();
        for (limit, value) in self.parameters_inside(&limits, scale).await?.iter() {
            values.insert(limit, value.clone());
        }
        let before = values.check();
        for (parameter, value) in wanted.iter() {
            values.insert(parameter, value.clone());
        }
        let added = values
            .check()
            .into_iter()
            .find(|wrong| !before.contains(wrong));
        match added {
            Some(wrong) => Err(Error::InvalidValue(wrong.to_string())),
            None => Ok(()),
        }
    }

    async fn write_parameter_inside(
        &mut self,
        parameter: Parameter,
        data: &[u8],
    ) -> Result<(), Error> {
        let request = match (parameter.register(), parameter.number()) {
            (Some(register), _) => Request::write(register, data),
            (None, number) => {
                let values: Vec<u16> = crate::bytes::words(data).collect();
                ParameterBlock::write(number.unwrap_or_default(), &values)
            }
        };
        let request = request.map_err(|error| Error::InvalidValue(error.to_string()))?;
        self.write_request(request).await.map(|_| ())
    }

    /// Milliamp (hours) per count, as the board says it.
    pub(super) async fn count_unit(&mut self) -> Result<u8, Error> {
        let data = self.read(&Command::BasicInfo).await?;
        let mosfets = BasicInfo::decode(&data, UnitScale::Auto)?.mosfets;
        Ok(self.unit_scale.milliamps_per_count(mosfets))
    }

    async fn scale(&mut self) -> Result<UnitScale, Error> {
        Ok(match self.count_unit().await? {
            100 => UnitScale::HundredMilliamp,
            _ => UnitScale::TenMilliamp,
        })
    }
}

fn encoded(
    parameter: Parameter,
    value: &ParameterValue,
    scale: UnitScale,
) -> Result<Vec<u8>, Error> {
    parameter
        .encode(value, scale)
        .map_err(|error| Error::InvalidValue(error.to_string()))
}

fn address(parameter: Parameter) -> u8 {
    parameter
        .register()
        .unwrap_or(crate::parameters::BLOCK_REGISTER)
}

fn is_silence(cause: &std::io::Error) -> bool {
    cause.kind() == std::io::ErrorKind::TimedOut
}
