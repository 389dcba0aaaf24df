use super::Client;
use super::send::action_of;
use crate::cardata::account_state::{AccountState, OwnContainer};
use crate::cardata::containers::{
    Container, CreateContainer, DeleteContainer, ListContainers, REDUCED_KEYS, signature,
};
use crate::cardata::error_id::Action;
use crate::cardata::telematics::{GetTelematicData, TelematicData};
use crate::error::Error;
use crate::types::Vin;

impl Client {
    /// All containers of the account, those of other programs as well. One call.
    ///
    /// # Errors
    ///
    /// As [`mappings`](Self::mappings).
    pub async fn containers(&self) -> Result<Vec<Container>, Error> {
        self.send(&ListContainers).await
    }

    /// What the cloud has stored about a vehicle, of these keys. The container
    /// that this takes is found or made at the first time: 3 calls, then 1.
    ///
    /// # Errors
    ///
    /// As [`mappings`](Self::mappings).
    pub async fn telematic_data(&self, vin: &Vin, keys: &[&str]) -> Result<TelematicData, Error> {
        let container = self.ensure_container(keys).await?;
        match self
            .send(&GetTelematicData {
                vin,
                container: &container,
            })
            .await
        {
            Err(error) if action_of(&error) == Some(Action::RenewContainer) => {
                self.set_container(None).await?;
                let container = self.ensure_container(keys).await?;
                self.send(&GetTelematicData {
                    vin,
                    container: &container,
                })
                .await
            }
            outcome => outcome,
        }
    }

    /// The id of the one container of ours that holds these keys, or as many of
    /// them as the cloud accepts. Others of ours are deleted, because several
    /// multiply the messages of the stream; those of other programs stay.
    ///
    /// # Errors
    ///
    /// As [`mappings`](Self::mappings).
    pub async fn ensure_container(&self, keys: &[&str]) -> Result<String, Error> {
        let _one_at_a_time = self.0.container.lock().await;
        let wanted = signature(keys);
        let known = self.account_state().await?.container;
        if let Some(known) = known.filter(|known| known.wanted == wanted) {
            return Ok(known.id);
        }
        let mut ours = self.containers().await?;
        ours.retain(Container::is_ours);
        // The reduced set does not count: a smaller wish may be accepted as a whole.
        let found = ours
            .iter()
            .position(|own| own.purpose.as_ref() == Some(&wanted));
        let keep = match found {
            Some(at) => ours.swap_remove(at),
            None => self.create_container(keys, &mut ours).await?,
        };
        self.delete_containers(&ours).await?;
        let id = keep.container_id;
        self.set_container(Some(OwnContainer {
            id: id.clone(),
            wanted,
        }))
        .await?;
        Ok(id)
    }

    async fn create_container(
        &self,
        keys: &[&str],
        ours: &mut Vec<Container>,
    ) -> Result<Container, Error> {
        let mut outcome = self.send(&CreateContainer { keys }).await;
        if outcome.as_ref().err().and_then(action_of) == Some(Action::TooManyContainers)
            && !ours.is_empty()
        {
            self.delete_containers(ours).await?;
            ours.clear();
            outcome = self.send(&CreateContainer { keys }).await;
        }
        match outcome.as_ref().err().and_then(action_of) {
            Some(Action::ReduceContainer) if signature(keys) != signature(REDUCED_KEYS) => {
                let reduced = signature(REDUCED_KEYS);
                let found = ours
                    .iter()
                    .position(|own| own.purpose.as_ref() == Some(&reduced));
                match found {
                    Some(at) => Ok(ours.swap_remove(at)),
                    None => self.send(&CreateContainer { keys: REDUCED_KEYS }).await,
                }
            }
            _ => outcome,
        }
    }

    async fn delete_containers(&self, containers: &[Container]) -> Result<(), Error> {
        for container in containers {
            let outcome = self
                .send(&DeleteContainer {
                    id: &container.container_id,
                })
                .await;
            match outcome {
                Err(Error::Refused {
                    status: 404 | 208 | 400,
                    ..
                })
                | Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn set_container(&self, container: Option<OwnContainer>) -> Result<(), Error> {
        let change = move |state: &mut AccountState| state.container = container;
        self.0.state.update(change).await.map_err(Error::Store)
    }
}
