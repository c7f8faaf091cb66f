//! Frame rates as exact fractions.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::contract::ParamValue;

/// Frames a second as a fraction in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rate {
    /// Numerator.
    pub num: u32,
    /// Denominator.
    pub den: u32,
}

/// Rates of which television knows the 1000/1001st, too.
const NTSC: [u32; 7] = [15, 24, 30, 48, 60, 96, 120];

/// Most digits of a decimal: what a 64-bit float may be written with.
const MOST_DIGITS: usize = 20;

/// Largest denominator: finer fractions are no rates, and sample counts of long clips stay far below 64 bits.
const FINEST: u32 = 100_000;

impl Rate {
    /// Least and most frames a second.
    pub const BOUNDS: (u32, u32) = (1, 120);

    /// `num` frames every `den` seconds, in lowest terms.
    pub const fn new(num: u32, den: u32) -> Self {
        match common_divisor(num as u128, den as u128) as u32 {
            0 => Self { num, den },
            common => Self { num: num / common, den: den / common },
        }
    }

    /// Frames in one chunk: about one second, at least one frame.
    pub fn chunk_frames(self) -> usize {
        self.fps().round().max(1.0) as usize
    }

    /// Frames a second, to the precision of a float.
    pub fn fps(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }

    /// Seconds that `frames` last.
    pub fn seconds(self, frames: u64) -> f64 {
        frames as f64 * f64::from(self.den) / f64::from(self.num)
    }

    /// Samples, `samples` a second, that last as long as `frames`, to the nearest.
    pub fn samples(self, frames: u64, samples: u32) -> u64 {
        let (num, den) = (u128::from(self.num), u128::from(self.den));
        let exact = u128::from(frames) * den * u128::from(samples);
        u64::try_from((exact + num / 2) / num).unwrap_or(u64::MAX)
    }

    /// Whole frames that `count` samples, `samples` a second, fill.
    pub fn frames_in(self, count: u64, samples: u32) -> u64 {
        let frames =
            u128::from(count) * u128::from(self.num) / (u128::from(samples.max(1)) * u128::from(self.den));
        u64::try_from(frames).unwrap_or(u64::MAX)
    }

    /// The one way in which this rate is written as a parameter: a whole number, or else a fraction as text.
    pub fn param(self) -> ParamValue {
        match self.den {
            1 => ParamValue::Int(self.num.into()),
            _ => ParamValue::Text(self.to_string()),
        }
    }

    /// The rate that a parameter's value means: what [`Rate::param`] gives.
    pub fn of(value: &ParamValue) -> Option<Self> {
        match value {
            ParamValue::Int(whole) => whole.to_string().parse().ok(),
            ParamValue::Text(text) => text.parse().ok(),
            ParamValue::Bool(_) | ParamValue::Float(_) => None,
        }
    }

    /// A decimal's digits before and after the point; `None` for what is none.
    fn decimal(whole: &str, digits: &str) -> Option<Self> {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !is_number(digits) || whole.len() + digits.len() > MOST_DIGITS {
            return None;
        }
        let unit = 10u128.pow(digits.len() as u32);
        let given = whole.parse::<u128>().ok()? * unit + digits.parse::<u128>().ok()?;
        // 23.976, 23.98 and 23.97 are all 24000/1001, rounded or cut short.
        let ntsc = NTSC.into_iter().find(|&rate| {
            let exact = u128::from(rate) * 1000 * unit;
            digits.len() > 1 && (exact / 1001 == given || (exact + 500) / 1001 == given)
        });
        match ntsc {
            Some(rate) => Some(Self::new(rate * 1000, 1001)),
            None => Self::fraction(given, unit),
        }
    }

    /// Lowest terms that fit; `None` where they do not.
    fn fraction(num: u128, den: u128) -> Option<Self> {
        let common = common_divisor(num, den).max(1);
        Some(Self { num: u32::try_from(num / common).ok()?, den: u32::try_from(den / common).ok()? })
    }
}

const fn common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.den {
            1 => write!(f, "{}", self.num),
            _ => write!(f, "{}/{}", self.num, self.den),
        }
    }
}

impl FromStr for Rate {
    type Err = ();

    /// Reads `25`, `12.5`, `29.97` (one of NTSC's, 30000/1001) or `30000/1001`, within [`Rate::BOUNDS`].
    fn from_str(text: &str) -> Result<Self, ()> {
        let rate = match (text.split_once('/'), text.split_once('.')) {
            (Some((num, den)), _) => {
                let whole = |text: &str| text.trim().parse::<u32>().ok();
                whole(num).zip(whole(den)).and_then(|(num, den)| Self::fraction(num.into(), den.into()))
            }
            (None, Some((whole, digits))) => Self::decimal(whole, digits),
            (None, None) => text.parse().ok().map(|num| Self { num, den: 1 }),
        };
        let (least, most) = (u64::from(Self::BOUNDS.0), u64::from(Self::BOUNDS.1));
        rate.filter(|rate| {
            let (num, den) = (u64::from(rate.num), u64::from(rate.den));
            (1..=FINEST.into()).contains(&den) && (least * den..=most * den).contains(&num)
        })
        .ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        text.parse::<Rate>().map_or_else(|()| "refused".to_owned(), |rate| rate.to_string())
    }

    #[test]
    fn one_rate_has_one_form() {
        for text in ["25", "25.0", "25/1", "25.00", "50/2", "25000/1000"] {
            assert_eq!((read(text).as_str(), text.parse().map(Rate::param)), ("25", Ok(ParamValue::Int(25))));
        }
        assert_eq!(read("12.5"), "25/2");
        assert_eq!(read("24.975"), "999/40");
        assert_eq!("29.97".parse().map(Rate::param), Ok(ParamValue::Text("30000/1001".into())));
    }

    #[test]
    fn decimals_of_ntsc_are_exact() {
        let cases = [
            ("23.976", "24000/1001"),
            ("23.98", "24000/1001"),
            ("23.97", "24000/1001"),
            ("23.976024", "24000/1001"),
            ("29.97", "30000/1001"),
            ("29.97003", "30000/1001"),
            ("47.952", "48000/1001"),
            ("59.94", "60000/1001"),
            ("119.88", "120000/1001"),
            ("119.8801", "120000/1001"),
            ("29.97002997002997", "30000/1001"),
            ("30000/1001", "30000/1001"),
            // Their neighbours are what they say.
            ("29.96", "749/25"),
            ("29.98", "1499/50"),
            ("59.9", "599/10"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        let wrong = [
            "",
            "0",
            "0.5",
            "120.01",
            "121",
            "-25",
            "25/0",
            "0/0",
            "1e1",
            "nan",
            "25.",
            ".5",
            "25 fps",
            "1/2/3",
            "30000 1001",
            "25.0000001",
            "9999999999999999999",
            "99999999999.99999999999",
            "4294967295/35791395",
        ];
        for text in wrong {
            assert_eq!(read(text), "refused", "{text}");
        }
    }

    #[test]
    fn samples_follow_exactly() {
        let ntsc = Rate::new(30_000, 1001);
        assert_eq!(ntsc.samples(30_000, 48_000), 48_048_000);
        assert_eq!((ntsc.samples(1, 48_000), ntsc.samples(2, 48_000)), (1602, 3203));
        assert_eq!(Rate::new(24_000, 1001).chunk_frames(), 24);
        assert_eq!(Rate::new(2, 5), Rate::new(4, 10));
    }
}
