//! The tools that are called many times, with their arguments and the checks of their responses.

/// A tool, by its result.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// A text.
    Echo,
    /// A text, from a plain `fn`.
    EchoBlocking,
    /// A sum of two integers, as a structured result.
    Add,
    /// An order from a state, as a structured result of five fields.
    GetOrder,
}

impl Call {
    pub fn tool(self) -> &'static str {
        match self {
            Call::Echo => "echo",
            Call::EchoBlocking => "echo_blocking",
            Call::Add => "add",
            Call::GetOrder => "get_order",
        }
    }

    /// Returns the arguments of the call with that id.
    pub fn arguments(self, id: usize) -> String {
        match self {
            Call::Echo | Call::EchoBlocking => format!(r#"{{"text":"hello {id}"}}"#),
            Call::Add => format!(r#"{{"a":{id},"b":2}}"#),
            Call::GetOrder => format!(r#"{{"order_id":"A-{}"}}"#, id % 1_000),
        }
    }

    /// Checks that the response belongs to exactly this call.
    pub fn assert_answer(self, answer: &str, id: usize) {
        let follows = |before: &str, number: usize, after: &str| {
            let rest = answer.split_once(before).and_then(|(_, rest)| rest.strip_prefix(Digits::of(number).as_str()));
            rest.is_some_and(|rest| rest.starts_with(after))
        };
        let is_right = match self {
            Call::Echo | Call::EchoBlocking => follows("\"text\":\"hello ", id, "\""),
            Call::Add => follows("\"structuredContent\":{\"result\":", id + 2, "}"),
            Call::GetOrder => follows("\"customer\":\"Customer ", id % 1_000, "\""),
        };
        assert!(
            is_right && id_of(answer) == id && !answer.contains("\"isError\":true"),
            "not the answer to call {id}: {answer}"
        );
    }
}

/// Returns the id of a response.
pub fn id_of(line: &str) -> usize {
    let after = line.split_once("\"id\":").unwrap_or_else(|| panic!("an answer without an id: {line}")).1;
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    after[..digits].parse().unwrap_or_else(|_| panic!("an answer with a strange id: {line}"))
}

/// A number as text, without an allocation, because the client must be fast too.
struct Digits {
    digits: [u8; 20],
    start: usize,
}

impl Digits {
    fn of(mut number: usize) -> Digits {
        let mut digits = Digits { digits: [0; 20], start: 20 };
        loop {
            digits.start -= 1;
            digits.digits[digits.start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return digits;
            }
        }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.digits[self.start..]).unwrap_or_default()
    }
}
