//! The bot token, as far as it takes nobody to see that there is none.

use backstop_http::{Headers, Occurrence};
use backstop_policy::ConfigError;
use backstop_policy::answer::is_field_name;

use crate::config;

/// What is wrong with a request's bot token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// There is none.
    Missing,
    /// There are several.
    Repeated,
    /// It is no token by its length or letters.
    Malformed,
}

impl TokenError {
    /// The word in logs, metrics and response-code details.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "token-missing",
            Self::Repeated => "token-repeated",
            Self::Malformed => "token-malformed",
        }
    }
}

/// What a well-formed token is.
#[derive(Clone, Debug)]
pub struct BotToken {
    header: Vec<u8>,
    min: usize,
    max: usize,
}

impl BotToken {
    /// Compiles `botToken`.
    ///
    /// # Errors
    /// For a header that cannot be, and lengths that no token has.
    pub fn compile(config: &config::BotToken) -> Result<Self, ConfigError> {
        if !is_field_name(&config.header) {
            return Err(ConfigError::at("botToken.header", "not a header name"));
        }
        if config.min_length.0 > config.max_length.0 {
            return Err(ConfigError::at(
                "botToken.minLength",
                "more than `maxLength`: no token would be well-formed",
            ));
        }
        Ok(Self {
            header: config.header.to_ascii_lowercase().into_bytes(),
            min: config.min_length.0 as usize,
            max: config.max_length.0 as usize,
        })
    }

    /// Whether the request has a well-formed token.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, headers: &Headers) -> Result<(), TokenError> {
        let token = match headers.occurrence(&self.header) {
            Occurrence::Absent => return Err(TokenError::Missing),
            Occurrence::Repeated(_) => return Err(TokenError::Repeated),
            Occurrence::Once(token) => token.trim_ascii(),
        };
        if token.is_empty() {
            return Err(TokenError::Missing);
        }
        let letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
        if (self.min..=self.max).contains(&token.len()) && token.iter().all(letter) {
            Ok(())
        } else {
            Err(TokenError::Malformed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use backstop_policy::Whole;

    #[test]
    fn a_token_is_there_once_and_looks_like_one() {
        let token = BotToken::compile(&config::BotToken {
            min_length: Whole(4),
            max_length: Whole(12),
            ..config::BotToken::default()
        })
        .unwrap();
        for (values, expected) in [
            (&["0.AbC_d-E~f"][..], Ok(())),
            (&["aGk+/w=="], Ok(())),
            (&[" abcd\t"], Ok(())),
            (&[], Err(TokenError::Missing)),
            (&[""], Err(TokenError::Missing)),
            (&["  "], Err(TokenError::Missing)),
            (&["abcd", "abcd"], Err(TokenError::Repeated)),
            (&["abc"], Err(TokenError::Malformed)),
            (&["abcdefghijklm"], Err(TokenError::Malformed)),
            (&["ab cd"], Err(TokenError::Malformed)),
            (&["abcd,efgh"], Err(TokenError::Malformed)),
            (&["abcd\u{e9}"], Err(TokenError::Malformed)),
            (&["undefined'--"], Err(TokenError::Malformed)),
        ] {
            let headers = Headers::from_pairs(values.iter().map(|value| ("X-Bot-Token", value)));
            assert_eq!(token.check(&headers), expected, "{values:?}");
        }
    }
}
