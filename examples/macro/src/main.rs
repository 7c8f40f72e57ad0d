//! Says hello to whoever connects; with `dockerfile` or `declared` as its argument, prints an image for itself.

mod image;

use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};

use dockerfile_macros::{check_dockerfile, dockerfile};

// The crate does not compile while the committed files are stale.
check_dockerfile!();

/// What `cargo dockerfile --env GREETING=hello` writes.
const DOCKERFILE: &str = dockerfile! {
    stack: rust,
    env: { GREETING: "hello" },
};

fn main() -> io::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("dockerfile") => io::stdout().write_all(DOCKERFILE.as_bytes()),
        Some("declared") => io::stdout().write_all(image::DECLARED.as_bytes()),
        _ => serve(),
    }
}

fn serve() -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 8080))?;
    for stream in listener.incoming() {
        let text = std::env::var("GREETING").unwrap_or_else(|_| "hello".into());
        let mut stream = stream?;
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len())?;
    }
    Ok(())
}
