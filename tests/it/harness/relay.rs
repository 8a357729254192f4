//! A way to a server that can be cut.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes on what comes to an address of its own.
pub struct Relay {
    address: SocketAddr,
    /// Both ends of all that goes through; nothing while it is cut.
    open: Arc<Mutex<Option<Vec<TcpStream>>>>,
}

impl Relay {
    /// A way to `server`, until the process ends.
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let open = Arc::new(Mutex::new(Some(Vec::new())));
        let ways = Arc::clone(&open);
        thread::spawn(move || {
            for near in listener.incoming() {
                // While it is cut, who comes is hung up on.
                if let Some(ways) = &mut *ways.lock().unwrap() {
                    let near = near.unwrap();
                    let far = TcpStream::connect(server).unwrap();
                    for end in [&near, &far] {
                        end.set_nodelay(true).unwrap();
                        ways.push(end.try_clone().unwrap());
                    }
                    pass_on(near.try_clone().unwrap(), far.try_clone().unwrap());
                    pass_on(far, near);
                }
            }
        });
        Self { address, open }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks all connections, and lets nobody through from now on.
    pub fn cut(&self) {
        for end in self.open.lock().unwrap().take().into_iter().flatten() {
            // The other side may have hung up before.
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// Lets everybody through again.
    pub fn mend(&self) {
        *self.open.lock().unwrap() = Some(Vec::new());
    }
}

/// Until either side hangs up, and then so does the other.
fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}
