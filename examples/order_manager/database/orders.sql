CREATE TABLE orders (
    order_id       TEXT PRIMARY KEY,
    customer_email TEXT,
    status         TEXT,
    total_amount   REAL,
    is_refundable  BOOLEAN
);

INSERT INTO orders (order_id, customer_email, status, total_amount, is_refundable) VALUES
    ('ORD-101', 'alice@example.com',   'SHIPPED',    120.50, 1),
    ('ORD-102', 'bob@example.com',     'PROCESSING', 450.00, 1),
    ('ORD-103', 'charlie@example.com', 'DELIVERED',   25.00, 0),
    ('ORD-104', 'alice@example.com',   'CANCELLED',    0.00, 0);
