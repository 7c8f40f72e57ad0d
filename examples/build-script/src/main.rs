//! Says hello to whoever connects.

use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};

fn main() -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 8080))?;
    for stream in listener.incoming() {
        let text = "hello\n";
        let mut stream = stream?;
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len())?;
    }
    Ok(())
}
