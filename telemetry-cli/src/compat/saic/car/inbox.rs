//! What waits for a car: in its order, but for what belongs together.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::{WAITING, Wish};

/// What waits for a car.
#[derive(Debug)]
pub(super) struct Inbox {
    receiver: mpsc::Receiver<Wish>,
    /// Taken out, and not yet done.
    ahead: VecDeque<Wish>,
}

impl Inbox {
    pub(super) fn new(receiver: mpsc::Receiver<Wish>) -> Self {
        Self {
            receiver,
            ahead: VecDeque::new(),
        }
    }

    /// What is next. Nothing is lost if it is not waited for to the end.
    pub(super) async fn next(&mut self) -> Wish {
        match self.ahead.pop_front() {
            Some(wish) => wish,
            None => self.receive().await,
        }
    }

    /// Waits until the car itself is to be told something, which stays.
    pub(super) async fn order(&mut self) {
        while !self.ahead.iter().any(Wish::is_order) {
            self.collect().await;
        }
    }

    /// A command of this name that comes soon, ahead of what does not matter to
    /// it; none if `not_after` comes first.
    pub(super) async fn command(
        &mut self,
        name: &str,
        not_after: &str,
        soon: Duration,
    ) -> Option<Wish> {
        let until = Instant::now() + soon;
        let mut looked_at = 0;
        loop {
            while let Some(wish) = self.ahead.get(looked_at) {
                match wish.command() {
                    Some(found) if found == name => return self.ahead.remove(looked_at),
                    Some(found) if found == not_after => return None,
                    _ => looked_at += 1,
                }
            }
            if timeout_at(until, self.collect()).await.is_err() {
                return None;
            }
        }
    }

    async fn collect(&mut self) {
        if self.ahead.len() >= WAITING {
            std::future::pending().await
        }
        let wish = self.receive().await;
        self.ahead.push_back(wish);
    }

    async fn receive(&mut self) -> Wish {
        match self.receiver.recv().await {
            Some(wish) => wish,
            // Nobody is left who could want something.
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::charging_station::Subject;
    use super::*;

    const SOON: Duration = Duration::from_millis(300);
    const ON: &str = "climate/remoteClimateState";
    const DEGREES: &str = "climate/remoteTemperature";

    fn inbox(names: &[&str]) -> (mpsc::Sender<Wish>, Inbox) {
        let (sender, receiver) = mpsc::channel(WAITING);
        for name in names {
            let wish = match *name {
                "station" => Wish::Station(Subject::ImportedEnergy, "1".to_owned()),
                name => Wish::told(name, b"x".to_vec(), false),
            };
            sender.try_send(wish).expect("room");
        }
        (sender, Inbox::new(receiver))
    }

    async fn rest(inbox: &mut Inbox) -> Vec<String> {
        let mut rest = Vec::new();
        while let Ok(wish) = timeout_at(Instant::now() + SOON, inbox.next()).await {
            rest.push(wish.command().unwrap_or("station").to_owned());
        }
        rest
    }

    #[tokio::test(start_paused = true)]
    async fn what_belongs_together_is_found_and_the_rest_keeps_its_order() {
        for (names, found, left) in [
            (&[DEGREES][..], true, &[][..]),
            (
                &["station", "doors/locked", DEGREES],
                true,
                &["station", "doors/locked"],
            ),
            (&[ON, DEGREES], false, &[ON, DEGREES]),
            (&["doors/locked"], false, &["doors/locked"]),
            (&[], false, &[]),
        ] {
            let (_sender, mut inbox) = inbox(names);
            let command = inbox.command(DEGREES, ON, SOON).await;
            assert_eq!(command.is_some(), found, "{names:?}");
            assert_eq!(rest(&mut inbox).await, left, "{names:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_orders_to_the_car_do_not_wait_for_a_poll() {
        for (names, interrupts) in [
            (
                &["station", "refresh/mode", "refresh/period/active"][..],
                false,
            ),
            (&["drivetrain/totalBatteryCapacity"], false),
            (&["station", "doors/locked"], true),
        ] {
            let (_sender, mut inbox) = inbox(names);
            let order = timeout_at(Instant::now() + SOON, inbox.order()).await;
            assert_eq!(order.is_ok(), interrupts, "{names:?}");
            assert_eq!(rest(&mut inbox).await, names, "{names:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_has_an_end() {
        let (sender, mut inbox) = inbox(&[]);
        let flood = tokio::spawn(async move {
            let wish = Wish::Station(Subject::ImportedEnergy, "1".to_owned());
            while sender.send(wish.clone()).await.is_ok() {}
        });
        assert!(
            timeout_at(Instant::now() + SOON, inbox.order())
                .await
                .is_err()
        );
        assert_eq!(inbox.ahead.len(), WAITING);
        flood.abort();
    }
}
