//! The state that a call keeps for its next round: open client requests, results, and remembered values.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use super::{Binding, SealError, Sealer};

/// The state that a call keeps for its next round. All its maps have one type, and it is read from such a map, because
/// deserializing types of its own would add code to every server.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RequestState {
    /// The expiry, in milliseconds since 1970. It is set when the state is sealed.
    expires: u64,
    /// The digests of the client requests in the last round, by their keys.
    open_requests: Map<String, Value>,
    /// The results so far, by the keys of their requests: the digest of the request, and its result.
    responses: Map<String, Value>,
    /// The results of work that the handler must not repeat.
    pub(crate) remembered: Map<String, Value>,
    /// The number of rounds in which the client sent results and none of them fitted.
    pub(crate) fruitless_rounds: u32,
}

/// The names of the members of the JSON form. They are short because a client carries them.
const EXPIRES: &str = "e";
const OPEN_REQUESTS: &str = "q";
const RESPONSES: &str = "a";
const REMEMBERED: &str = "r";
const FRUITLESS_ROUNDS: &str = "n";

impl RequestState {
    fn into_json(self) -> String {
        let mut members = Map::new();
        members.insert(EXPIRES.into(), self.expires.into());
        for (name, map) in
            [(OPEN_REQUESTS, self.open_requests), (RESPONSES, self.responses), (REMEMBERED, self.remembered)]
        {
            if !map.is_empty() {
                members.insert(name.into(), map.into());
            }
        }
        if self.fruitless_rounds > 0 {
            members.insert(FRUITLESS_ROUNDS.into(), self.fruitless_rounds.into());
        }
        Value::from(members).to_string()
    }

    fn from_json(text: &str) -> Option<RequestState> {
        let mut members: Map<String, Value> = serde_json::from_str(text).ok()?;
        let mut map = |name| match members.remove(name) {
            None => Some(Map::new()),
            Some(Value::Object(map)) => Some(map),
            Some(_) => None,
        };
        let (open_requests, responses, remembered) = (map(OPEN_REQUESTS)?, map(RESPONSES)?, map(REMEMBERED)?);
        let fruitless_rounds = match members.get(FRUITLESS_ROUNDS) {
            None => 0,
            Some(rounds) => u32::try_from(rounds.as_u64()?).ok()?,
        };
        let expires = members.get(EXPIRES)?.as_u64()?;
        Some(RequestState { expires, open_requests, responses, remembered, fruitless_rounds })
    }

    /// Keeps the results of the requests that the client got, each with the digest of its request, and drops all
    /// others. No request is open afterwards. Returns the keys of the results that were kept.
    pub(crate) fn accept_responses(&mut self, mut responses: Map<String, Value>) -> HashSet<String> {
        let mut answered = HashSet::new();
        for (key, digest) in std::mem::take(&mut self.open_requests) {
            if let Some(result) = responses.remove(&key) {
                self.responses.insert(key.clone(), json!([digest, result]));
                answered.insert(key);
            }
        }
        answered
    }

    /// Records that the client gets the request of a digest. The result of another request with that key is dropped.
    pub(crate) fn add_request(&mut self, key: &str, digest: String) {
        self.responses.remove(key);
        self.open_requests.insert(key.to_owned(), digest.into());
    }

    /// Returns the result of the request of a digest.
    pub(crate) fn response(&self, key: &str, digest: &str) -> Option<&Value> {
        let answer = self.responses.get(key).filter(|answer| answer[0] == digest)?;
        answer.get(1)
    }
}

impl Sealer {
    /// Seals a state that may be used until `lifetime` from `now`.
    ///
    /// # Errors
    ///
    /// See [`SealError`].
    pub(crate) fn seal_state(
        &self,
        mut state: RequestState,
        binding: &Binding<'_>,
        now: SystemTime,
        lifetime: Duration,
    ) -> Result<String, SealError> {
        let lifetime = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        state.expires = milliseconds(now).saturating_add(lifetime);
        self.seal(state.into_json().as_bytes(), binding)
    }

    /// Returns the state in a text from a client, if it was sealed for this binding and has not expired. All failures
    /// return the same `None`.
    pub(crate) fn open_state(&self, text: &str, binding: &Binding<'_>, now: SystemTime) -> Option<RequestState> {
        let plaintext = self.open(text, binding)?;
        let state = RequestState::from_json(std::str::from_utf8(&plaintext).ok()?)?;
        (milliseconds(now) < state.expires).then_some(state)
    }
}

/// Returns the milliseconds since 1970.
pub(crate) fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::{DEFAULT_MAX_TEXT, digest_of_json};
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(600);

    fn binding() -> Binding<'static> {
        let arguments = digest_of_json("{}");
        Binding { server: "shop", principal: None, method: "tools/call", component: "pay", arguments }
    }

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_785_000_000)
    }

    fn state() -> RequestState {
        let mut state = RequestState::default();
        state.add_request("elicitation_1", "d1".into());
        let answer = json!({ "action": "accept", "content": { "value": 1.5 } });
        state.accept_responses(Map::from_iter([("elicitation_1".to_owned(), answer)]));
        state.add_request("elicitation_2", "d2".into());
        state.fruitless_rounds = 3;
        state.remembered.insert("order".into(), json!([1, null, "é"]));
        state
    }

    #[test]
    fn a_state_opens_until_it_expires() {
        let sealer = Sealer::new(&[]);
        let text = sealer.seal_state(state(), &binding(), now(), LIFETIME).unwrap();
        let opened = sealer.open_state(&text, &binding(), now()).unwrap();
        assert_eq!(RequestState { expires: 0, ..opened }, state());
        assert!(sealer.open_state(&text, &binding(), now() + LIFETIME - Duration::from_secs(1)).is_some());
        assert_eq!(sealer.open_state(&text, &binding(), now() + LIFETIME), None);
        assert_eq!(sealer.open_state(&text, &binding(), now() + LIFETIME * 1000), None);
        let other = Binding { component: "refund", ..binding() };
        assert_eq!(sealer.open_state(&text, &other, now()), None);
    }

    #[test]
    fn a_state_with_a_short_lifetime_expires_on_time() {
        let sealer = Sealer::new(&[]);
        let late_in_a_second = now() + Duration::from_millis(900);
        for lifetime in [Duration::from_millis(300), Duration::from_secs(1)] {
            let text = sealer.seal_state(state(), &binding(), late_in_a_second, lifetime).unwrap();
            let before_end = late_in_a_second + lifetime - Duration::from_millis(1);
            assert!(sealer.open_state(&text, &binding(), before_end).is_some(), "{lifetime:?}");
            assert!(sealer.open_state(&text, &binding(), late_in_a_second + lifetime).is_none(), "{lifetime:?}");
        }
    }

    #[test]
    fn an_empty_state_is_short() {
        assert_eq!(RequestState::default().into_json(), r#"{"e":0}"#);
        let lasting = Sealer::new(&[]);
        let text = lasting.seal_state(RequestState::default(), &binding(), now(), Duration::MAX).unwrap();
        assert!(lasting.open_state(&text, &binding(), now() + LIFETIME).is_some());
    }

    #[test]
    fn an_invalid_state_is_refused() {
        let sealer = Sealer::new(&[]);
        for odd in
            ["", "null", "[]", r#"{"e":"1"}"#, r#"{"e":99999999999999,"q":[]}"#, r#"{"e":99999999999999,"n":-1}"#, "{}"]
        {
            let text = sealer.seal(odd.as_bytes(), &binding()).unwrap();
            assert_eq!(sealer.open_state(&text, &binding(), now()), None, "{odd}");
        }
    }

    #[test]
    fn a_response_is_kept_only_for_its_own_request() {
        let responses = |keys: &[&str]| keys.iter().map(|key| ((*key).to_owned(), json!({ "of": key }))).collect();
        let mut state = RequestState::default();
        assert!(state.accept_responses(responses(&["a", "b"])).is_empty(), "nothing was asked");
        assert_eq!(state, RequestState::default());
        state.add_request("a", "d1".into());
        state.add_request("b", "d2".into());
        assert_eq!(state.accept_responses(responses(&["a", "c"])), HashSet::from(["a".to_owned()]));
        assert_eq!((state.response("a", "d1"), state.response("a", "d2")), (Some(&json!({ "of": "a" })), None));
        assert!(state.accept_responses(responses(&["b"])).is_empty(), "it was not asked again");
        state.add_request("a", "d3".into());
        assert_eq!((state.response("a", "d1"), state.response("a", "d3")), (None, None), "it is asked in other words");
    }

    #[test]
    fn a_state_beyond_its_limit_is_an_error() {
        let mut state = state();
        state.remembered.insert("page".into(), "x".repeat(3000).into());
        let mut sealer = Sealer::new(&[]);
        let fits = sealer.seal_state(state.clone(), &binding(), now(), LIFETIME).unwrap();
        assert!(fits.len() < DEFAULT_MAX_TEXT);
        sealer.set_max_text(fits.len());
        assert!(sealer.open_state(&fits, &binding(), now()).is_some());
        sealer.set_max_text(fits.len() - 1);
        assert!(sealer.open_state(&fits, &binding(), now()).is_none());
        let error = sealer.seal_state(state, &binding(), now(), LIFETIME).unwrap_err();
        assert_eq!(error, SealError::TooLong { length: fits.len(), limit: fits.len() - 1 });
    }
}
