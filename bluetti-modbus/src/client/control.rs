use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Client;
use crate::modbus::Request;
use crate::register::{Block, Control, ControlId, Danger, Registers, Setting, Write};
use crate::{Error, Transport};

/// When to look whether a write took effect, counted from its acknowledgement.
const READ_BACK_AFTER: [Duration; 4] = [
    Duration::from_millis(300),
    Duration::from_millis(600),
    Duration::from_millis(1000),
    Duration::from_millis(2000),
];

impl<T: Transport> Client<T> {
    /// Sets a control of the model and reads it back. Ranges, and the order of the
    /// two ends of the charge range, are checked before anything is sent. Controls
    /// that want a pause between two writes are waited for.
    ///
    /// Not cancel safe: dropped after the request left, the effect is unknown.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchControl`], [`Error::InvalidValue`];
    /// [`Error::NotEffective`] if the station acknowledges but shows another value
    /// for two seconds; otherwise any [`Error`].
    pub async fn set(&mut self, id: ControlId, setting: &Setting<'_>) -> Result<(), Error> {
        let model = self.known_model().await?;
        let control = model.control(id).ok_or(Error::NoSuchControl(id))?;
        self.set_control(control, setting).await
    }

    /// Sets a control that can damage something, by naming the danger; otherwise
    /// as [`set`](Self::set).
    ///
    /// # Errors
    ///
    /// As for [`set`](Self::set).
    pub async fn set_dangerous(
        &mut self,
        id: ControlId,
        danger: Danger,
        setting: &Setting<'_>,
    ) -> Result<(), Error> {
        let model = self.known_model().await?;
        let control = model.dangerous_control(id, danger);
        self.set_control(control.ok_or(Error::NoSuchControl(id))?, setting)
            .await
    }

    /// Writes registers by number and reads them back, where the model has no
    /// control for them. Registers that are known to be dangerous are refused
    /// unless `named` is that danger; those of a factory reset always are.
    ///
    /// Not cancel safe: dropped after the request left, the effect is unknown.
    ///
    /// # Errors
    ///
    /// [`Error::Guarded`], [`Error::NotEffective`]; otherwise any [`Error`].
    pub async fn write_registers(
        &mut self,
        write: &Write,
        named: Option<Danger>,
    ) -> Result<(), Error> {
        let model = self.known_model().await?;
        if let Some(danger) = model.danger(write)
            && (named != Some(danger) || danger == Danger::FactoryReset)
        {
            let register = write.register();
            return Err(Error::Guarded { register, danger });
        }
        self.send(write).await?;
        let block = write.block();
        self.read_back(block, |registers| {
            registers.range(block.start, block.count) == Some(write.words())
        })
        .await
    }

    async fn set_control(
        &mut self,
        control: &'static Control,
        setting: &Setting<'_>,
    ) -> Result<(), Error> {
        let mut known = Registers::new();
        if let Some(partner) = control.partner() {
            known = self.read_blocks(&[Block::new(partner, 1)]).await?;
        }
        let write = control.encode(setting, &known)?;
        let pause = Duration::from_secs(u64::from(control.pause_s()));
        if let Some(&last) = self.written.get(&write.register()) {
            sleep_until(last + pause).await;
        }
        self.send(&write).await?;
        if !pause.is_zero() {
            self.written.insert(write.register(), Instant::now());
        }
        match control.verification(&write) {
            None => Ok(()),
            Some(block) => {
                self.read_back(block, |registers| control.is_confirmed(&write, registers))
                    .await
            }
        }
    }

    async fn send(&mut self, write: &Write) -> Result<(), Error> {
        let unit = self.unit();
        let request = match *write.words() {
            [value] => Request::write(unit, write.register(), value),
            ref words => Request::write_many(unit, write.register(), words)?,
        };
        self.write(request).await
    }

    /// Some stations commit a write 0.4 s after they acknowledged it.
    async fn read_back(
        &mut self,
        block: Block,
        fits: impl Fn(&Registers) -> bool,
    ) -> Result<(), Error> {
        let written = Instant::now();
        for after in READ_BACK_AFTER {
            sleep_until(written + after).await;
            let words = self.read_registers(block.start, block.count).await?;
            let mut registers = Registers::new();
            registers.insert(block.start, &words);
            if fits(&registers) {
                return Ok(());
            }
        }
        Err(Error::NotEffective {
            register: block.start,
        })
    }
}
