use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Client;
use crate::modbus::{Request, UnitId};
use crate::model::{PackAccess, PackSelection};
use crate::register::{Group, Registers};
use crate::{Error, Transport};

impl<T: Transport> Client<T> {
    /// Reads the page of one battery pack, numbered from 1;
    /// [`Pack`](crate::model::Pack) makes values of it.
    ///
    /// Where packs share one page, the pack is selected first (register 3006) and
    /// the page read once its echo (register 96) shows that number twice. The
    /// selection stays as it is: [`read_packs`](Self::read_packs) restores it.
    ///
    /// Not cancel safe: another pack may stay selected.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchPack`], [`Error::PackNotShown`], or any [`Error`] of a read.
    pub async fn read_pack(&mut self, number: u8) -> Result<Registers, Error> {
        let model = self.known_model().await?;
        let access = model.packs();
        let no_such_pack = Error::NoSuchPack { number };
        let blocks = model.plan(&[Group::Packs], self.read_limit);
        if !(1..=access.max()).contains(&number) || blocks.is_empty() {
            return Err(no_such_pack);
        }
        match access {
            PackAccess::None => Err(no_such_pack),
            PackAccess::Single => self.read_blocks(&blocks).await,
            PackAccess::Units { .. } => {
                let unit = access.unit(number).map(UnitId).ok_or(no_such_pack)?;
                self.read_blocks_of(unit, &blocks).await
            }
            PackAccess::Selector { .. } => {
                let selection = access.select(number).ok_or(no_such_pack)?;
                self.select(selection).await?;
                let registers = self.read_blocks(&blocks).await?;
                match selection.is_confirmed(&registers) {
                    true => Ok(registers),
                    // Somebody else selected another one meanwhile.
                    false => Err(Error::PackNotShown { number }),
                }
            }
        }
    }

    /// Reads the pages of all packs that there are, by number, and selects the
    /// first one again where a selection was needed.
    ///
    /// Not cancel safe: another pack may stay selected.
    ///
    /// # Errors
    ///
    /// As for [`read_pack`](Self::read_pack).
    pub async fn read_packs(&mut self, count: u8) -> Result<Vec<(u8, Registers)>, Error> {
        let access = self.known_model().await?.packs();
        let count = count.min(access.max());
        let mut packs = Vec::new();
        for number in 1..=count {
            packs.push((number, self.read_pack(number).await?));
        }
        if count > 1
            && let Some(first) = access.select(1)
        {
            self.select(first).await?;
        }
        Ok(packs)
    }

    /// Selects a battery pack, numbered from 1, where packs share one page, and
    /// waits until it shows: for who reads registers of the page that no field is
    /// known for. Does nothing where packs are reached otherwise.
    ///
    /// Not cancel safe: another pack may stay selected.
    ///
    /// # Errors
    ///
    /// As for [`read_pack`](Self::read_pack).
    pub async fn select_pack(&mut self, number: u8) -> Result<(), Error> {
        match self.known_model().await?.packs().select(number) {
            Some(selection) => self.select(selection).await,
            None => Ok(()),
        }
    }

    async fn select(&mut self, selection: PackSelection) -> Result<(), Error> {
        let echo = selection.echo();
        // Already there, as where it is the only one.
        if selection.is_confirmed(&self.read_blocks(&[echo]).await?) {
            return Ok(());
        }
        let write = selection.write();
        let value = write.words().first().copied().unwrap_or_default();
        self.write(Request::write(self.unit(), write.register(), value))
            .await?;
        let started = Instant::now();
        let mut seen = 0;
        while started.elapsed() < Duration::from_millis(PackSelection::TIMEOUT_MS) {
            sleep(Duration::from_millis(PackSelection::INTERVAL_MS)).await;
            match selection.is_confirmed(&self.read_blocks(&[echo]).await?) {
                true => seen += 1,
                false => seen = 0,
            }
            if seen == 2 {
                return Ok(());
            }
        }
        let number = selection.number();
        Err(Error::PackNotShown { number })
    }
}
