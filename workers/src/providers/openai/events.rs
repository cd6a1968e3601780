//! Splits a stream of server-sent events into their data.

/// Takes bytes as they come and gives the data of each event that is complete. Comments and fields
/// other than `data` are passed over; lines end with LF or CRLF (a lone CR, which the standard also
/// allows, is sent by nobody). What it holds back is bounded by whoever bounds the stream.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Option<String>,
}

impl Events {
    /// Takes a piece, cut anywhere, even within a character.
    pub(super) fn push(&mut self, piece: &[u8]) -> Vec<String> {
        let mut complete = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                complete.extend(self.line_ended());
            }
        }
        complete
    }

    /// The event that lacks its last line breaks when the stream ends.
    pub(super) fn rest(&mut self) -> Option<String> {
        self.line_ended().or_else(|| self.data.take())
    }

    fn line_ended(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = line
            .trim_start_matches('\u{feff}')
            .trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            return self.data.take();
        }
        let value = match line.split_once(':') {
            Some(("data", value)) => value.strip_prefix(' ').unwrap_or(value),
            Some(_) | None => return None,
        };
        match &mut self.data {
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
            None => self.data = Some(value.to_owned()),
        }
        None
    }
}
