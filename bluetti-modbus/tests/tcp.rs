//! The client over MODBUS-TCP, against a simulated station behind a socket.

use bluetti_modbus::modbus::{crc16_modbus, tcp::HEAD_LEN};
use bluetti_modbus::model::{Model, Station as Values};
use bluetti_modbus::register::{ControlId, Group, Setting};
use bluetti_modbus::session::Security;
use bluetti_modbus::simulator::{Memory, Output, Station, StationConfig};
use bluetti_modbus::{Error, tcp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Puts what the station says in RTU frames under TCP headers, in pieces of five
/// bytes and each behind an answer to a request that nobody sent.
async fn serve(mut stream: TcpStream, mut station: Station) {
    station.connect(0);
    let mut now_ms = 0;
    loop {
        let mut head = [0; HEAD_LEN];
        if stream.read_exact(&mut head).await.is_err() {
            return;
        }
        let mut pdu = vec![0; usize::from(head[5]) - 1];
        stream.read_exact(&mut pdu).await.unwrap();
        let mut request = vec![head[6]];
        request.extend(pdu);
        request.extend(crc16_modbus(&request).to_le_bytes());
        station.write(&request, now_ms);
        let mut answer = Vec::new();
        while let Some(at_ms) = station.next_at() {
            now_ms = at_ms;
            if let Some(Output::Notify(chunk)) = station.poll(now_ms) {
                answer.extend(chunk);
            }
        }
        let pdu = &answer[1..answer.len() - 2];
        let mut bytes = vec![0xEE, 0xEE, 0, 0, 0, 3, 1, 0x83, 4];
        bytes.extend(&head[..4]);
        bytes.extend((pdu.len() as u16 + 1).to_be_bytes());
        bytes.push(head[6]);
        bytes.extend(pdu);
        for piece in bytes.chunks(5) {
            stream.write_all(piece).await.unwrap();
            stream.flush().await.unwrap();
        }
    }
}

fn ep2000() -> StationConfig {
    let mut memory = Memory {
        blocks: vec![(50_001, 300), (51_001, 260), (57_001, 20)],
        ..Memory::default()
    };
    let name = [0x4550u16, 0x3230, 0x3030];
    memory.registers.extend((50_200..).zip(name));
    memory
        .registers
        .extend([(50_206, 815), (50_002, 640), (51_004, 71), (57_001, 0)]);
    StationConfig {
        units: [(1, memory)].into(),
        ..StationConfig::default()
    }
}

#[tokio::test]
async fn the_same_client_reads_and_switches() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        serve(stream, Station::new(ep2000(), 1)).await;
    });
    let mut client = tcp::connect(address).await.unwrap();
    let identity = client.identify().await.unwrap();
    assert_eq!(identity.model, Model::EP2000_TCP);
    assert_eq!(identity.serial_number, Some(815));
    assert_eq!(client.security(), Security::Plain);

    let registers = client.read(Group::PUBLIC).await.unwrap();
    let values = Values::new(identity.model, &registers);
    assert_eq!(values.soc_percent(), Some(71));
    assert_eq!(values.ac_output_power_w(), Some(640));

    let on = Setting::Switch(true);
    client.set(ControlId::AcOutput, &on).await.unwrap();
    assert_eq!(client.read_registers(57_001, 1).await.unwrap(), [1]);
    let error = client.read_registers(100, 1).await.unwrap_err();
    assert!(
        matches!(error, Error::Refused { register: 100, .. }),
        "{error}"
    );
    drop(client);
    server.await.unwrap();
}

#[tokio::test]
async fn something_else_behind_the_port_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let greeting = b"220 mail server ready\r\n";
        stream.write_all(greeting).await.unwrap();
        // Until the client has looked.
        let _ = stream.read(&mut [0]).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let mut client = tcp::connect(address).await.unwrap();
    let error = client.read_registers(50_001, 1).await.unwrap_err();
    assert!(error.needs_reconnect(), "{error}");
    drop(client);
    server.await.unwrap();
}
