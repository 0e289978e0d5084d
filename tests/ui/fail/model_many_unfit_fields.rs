use fastmcp_rs::prelude::*;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Instant;

struct Order;

#[mcp::model]
struct Fields {
    plain: Order,
    array: [Order; 2],
    tuple: (Order, u8),
    map: HashMap<String, Order>,
    time: Instant,
    shared: Rc<RefCell<u8>>,
    function: fn(u8) -> u8,
    dynamic: Box<dyn std::error::Error>,
}

fn main() {}
