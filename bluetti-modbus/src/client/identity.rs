use super::Client;
use crate::modbus::UnitId;
use crate::model::{Generation, Model, Station};
use crate::register::{Block, Registers};
use crate::{Error, Transport};

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The unit that answers.
    pub unit: UnitId,
    /// Register 16; `None` where it is refused, and over MODBUS-TCP.
    pub protocol_version: Option<u16>,
    /// The station's model, a generic one if its name is not known.
    pub model: Model,
    /// The name in the station's registers.
    pub device_type: Option<String>,
    /// The serial number.
    pub serial_number: Option<u64>,
}

impl<T: Transport> Client<T> {
    /// Finds out which unit answers and which model it is: the protocol version
    /// (register 16) tells the generation, and that where the name stands. From
    /// then on the client asks that unit and knows the model, unless it was told
    /// another.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if neither unit 1 nor unit 0 answers,
    /// [`Error::UnknownModel`] if every place of the name is refused; otherwise
    /// any [`Error`] of a read.
    pub async fn identify(&mut self) -> Result<Identity, Error> {
        let protocol_version = if self.is_tcp {
            None
        } else {
            self.find_unit().await?
        };
        let places = match protocol_version.map(Generation::of_protocol) {
            Some(generation) => vec![generation],
            None if self.is_tcp => vec![Generation::Tcp],
            None => vec![Generation::Second, Generation::First],
        };
        let (generation, page) = self.identity_page(&places).await?;
        let station = Station::new(Model::generic(generation), &page);
        let (name, serial_number) = match generation {
            Generation::Tcp => {
                let station = Station::new(Model::EP2000_TCP, &page);
                (station.device_type(), station.serial_number())
            }
            _ => (station.device_type(), station.serial_number()),
        };
        let device_type = name.map(|name| name.to_string());
        let model = self.choose(device_type.as_deref(), generation);
        let model = model.ok_or(Error::UnknownModel)?;
        self.model = Some(model);
        Ok(Identity {
            unit: self.unit(),
            protocol_version,
            model,
            device_type,
            serial_number,
        })
    }

    /// The model that the client was told, or that of a name, or a generic one.
    fn choose(&self, name: Option<&str>, generation: Generation) -> Option<Model> {
        let named = self.model.or_else(|| name.and_then(Model::from_name));
        match generation {
            Generation::Tcp => named.and_then(Model::over_tcp),
            _ => {
                let generic = Model::generic(generation);
                Some(
                    named
                        .filter(|model| model.generation() == generation)
                        .unwrap_or(generic),
                )
            }
        }
    }

    /// Asks unit 1, or the one that was named, and unit 0 if that is silent.
    async fn find_unit(&mut self) -> Result<Option<u16>, Error> {
        let version = match self.protocol_version(self.unit()).await {
            Err(Error::TimedOut { .. }) if self.unit.is_none() => {
                let version = self.protocol_version(UnitId::HOST).await?;
                self.unit = Some(UnitId::HOST);
                version
            }
            other => other?,
        };
        self.unit = Some(self.unit());
        Ok(version)
    }

    async fn protocol_version(&mut self, unit: UnitId) -> Result<Option<u16>, Error> {
        let Block { start, count } = Generation::PROTOCOL_VERSION;
        match self.read_unit(unit, start, count).await {
            Ok(words) => Ok(words.first().copied()),
            Err(Error::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Name and serial number, which lies close behind it.
    async fn identity_page(
        &mut self,
        places: &[Generation],
    ) -> Result<(Generation, Registers), Error> {
        for &generation in places {
            let name = generation.device_type();
            let behind = match generation {
                Generation::First => 5,
                Generation::Second | Generation::Tcp => 4,
            };
            let page = Block::new(name.start, name.count + behind);
            let registers = self.read_blocks(&[page]).await?;
            if !registers.is_empty() {
                return Ok((generation, registers));
            }
        }
        Err(Error::UnknownModel)
    }
}
