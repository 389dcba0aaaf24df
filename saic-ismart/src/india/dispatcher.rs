use std::fmt;

use super::bits::{CodecError, Digits, Flag, I8, I16, I31, Ia5, Int, Maybe, Nested, Octets};
use super::bits::{Sequence, message, sequence};

sequence! {
    /// How many messages went up and down.
    #[derive(Debug, Copy)]
    MessageCounter {
        /// To the server.
        uplink: u8 = I8,
        /// From the server.
        downlink: u8 = I8,
    }
}

sequence! {
    /// A rough position.
    #[derive(Debug, Copy)]
    BasicPosition {
        /// 1e-6 degrees, north is positive.
        latitude_micro_deg: i32 = Int<i32, -90_000_000, 90_000_000>,
        /// 1e-6 degrees, east is positive.
        longitude_micro_deg: i32 = Int<i32, -180_000_000, 180_000_000>,
    }
}

sequence! {
    /// The mobile network of the sender.
    #[derive(Debug)]
    NetworkInfo {
        /// Country.
        country: String = Digits<3>,
        /// Network.
        network: String = Digits<3>,
        /// Area.
        area: String = Digits<3>,
        /// Cell.
        cell: String = Digits<3>,
        /// Strength, 0 to 99.
        signal: u8 = Int<u8, 0, 99>,
    }
}

sequence! {
    /// What stands in front of the data of a login and a PIN check (protocol 1.1).
    AccountDispatcher {
        /// The user: 50 digits.
        user_id: Option<String> = Maybe<Ia5<50, 50>>,
        /// The session: 40 characters.
        token: Option<String> = Maybe<Ia5<40, 40>>,
        /// What is asked for: `501` login, `313` PIN.
        application: String = Ia5<3, 3>,
        /// The car, in clear.
        vin: Option<String> = Maybe<Ia5<17, 17>>,
        /// Unix time, s.
        created_at_s: u32 = Int<u32, 0, 4_294_967_295>,
        /// Handle of a call that takes longer.
        event_id: Option<u64> = Maybe<Int<u64, 0, 281_474_976_710_655>>,
        /// Number of the message within the application.
        message_id: u8 = I8,
        /// Counters.
        counter: Option<MessageCounter> = Maybe<Nested<MessageCounter>>,
        /// An acknowledgement is wanted.
        ack_required: Option<bool> = Maybe<Flag>,
        /// No state is kept.
        stateless: Option<bool> = Maybe<Flag>,
        /// `crqmRequest`, unknown.
        crqm_request: Option<bool> = Maybe<Flag>,
        /// Where the sender is.
        position: Option<BasicPosition> = Maybe<Nested<BasicPosition>>,
        /// Its network.
        network: Option<NetworkInfo> = Maybe<Nested<NetworkInfo>>,
        /// Its SIM, 19 digits.
        sim: Option<String> = Maybe<Digits<19>>,
        /// Language, numbers unknown.
        language: Option<u8> = Maybe<Int<u8, 0, 4>>,
        /// Its SIM card, 20 digits.
        icc_id: String = Digits<20>,
        /// Bytes of application data.
        data_length: u32 = Int<u32, 0, 4_294_967_295>,
        /// 0 is packed (PER unaligned), 1 DER, 2 BER.
        data_encoding: Option<u8> = Maybe<Int<u8, 0, 2>>,
        /// Version of the application data: 513.
        data_version: u16 = I16,
        /// 2 in all that is known.
        test_flag: Option<u8> = Maybe<Int<u8, 1, 3>>,
        /// How it went: see [`super::TapResult`].
        result: Option<u16> = Maybe<I16>,
        /// In words, UTF-8.
        error_message: Option<Vec<u8>> = Maybe<Octets<1, 1024>>,
    }
}

sequence! {
    /// What stands in front of the data of all calls to a car (protocol 2.1).
    CarDispatcher {
        /// The user: 50 digits.
        user_id: Option<String> = Maybe<Ia5<50, 50>>,
        /// The session: 40 characters.
        token: Option<String> = Maybe<Ia5<40, 40>>,
        /// What is asked for: `511` state and charging, `510` commands.
        application: String = Ia5<3, 3>,
        /// The car, in clear.
        vin: Option<String> = Maybe<Ia5<17, 17>>,
        /// Number of the message within the application.
        message_id: u8 = I8,
        /// Unix time, s.
        created_at_s: u32 = I31,
        /// Handle of a call that takes longer, 0 for none yet.
        event_id: Option<u32> = Maybe<I31>,
        /// Messages to the server.
        uplink: Option<u16> = Maybe<I16>,
        /// Messages from the server.
        downlink: Option<u16> = Maybe<I16>,
        /// Acknowledged messages.
        acknowledged: Option<u16> = Maybe<I16>,
        /// An acknowledgement is wanted.
        ack_required: Option<bool> = Maybe<Flag>,
        /// Bytes of application data.
        data_length: Option<u16> = Maybe<I16>,
        /// 0 is packed (PER unaligned), 1 DER, 2 BER.
        data_encoding: Option<u8> = Maybe<Int<u8, 0, 2>>,
        /// Version of the application data: 513.
        data_version: Option<u16> = Maybe<I16>,
        /// 2 in all that is known.
        test_flag: Option<u8> = Maybe<Int<u8, 1, 3>>,
        /// How it went: see [`super::TapResult`].
        result: Option<u16> = Maybe<I16>,
        /// In words, UTF-8.
        error_message: Option<Vec<u8>> = Maybe<Octets<1, 1024>>,
    }
}

message!(AccountDispatcher, CarDispatcher);

impl fmt::Debug for AccountDispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountDispatcher")
            .field("application", &self.application)
            .field("message_id", &self.message_id)
            .field("event_id", &self.event_id)
            .field("result", &self.result)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for CarDispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CarDispatcher")
            .field("application", &self.application)
            .field("message_id", &self.message_id)
            .field("event_id", &self.event_id)
            .field("result", &self.result)
            .finish_non_exhaustive()
    }
}
