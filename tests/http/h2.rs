//! HTTP/2: a real client, and floods by hand.
