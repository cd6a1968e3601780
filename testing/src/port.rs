//! Ports for processes under test.

use tokio::net::TcpSocket;

/// A port that the kernel gives to nobody else while the socket lives: it is bound, does not listen, and
/// allows those who ask for it by number to bind beside it.
pub fn held_port() -> (TcpSocket, u16) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}
