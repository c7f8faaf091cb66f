//! Timecodes: `HH:MM:SS:FF.sss`, hours, minutes, seconds, frames of the second and thousandths of a frame.

use crate::contract::Rate;

/// Frames in a second of timecode, least first.
const BASES: [u32; 7] = [24, 25, 30, 48, 50, 60, 120];
/// The app's own, where nothing else is known.
const USUAL: u32 = 60;
/// Seconds of a day, after which timecodes begin again.
const DAY: f64 = 86_400.0;

/// A timecode as written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Timecode {
    /// Whole seconds since midnight.
    pub(super) seconds: u32,
    /// Frames of the second, with their thousandths.
    pub(super) frames: f64,
}

impl Timecode {
    /// Reads one; what is wrong with it otherwise.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected a timecode HH:MM:SS:FF.sss, found `{text}`");
        let parts: Vec<&str> = text.split([':', ';']).collect();
        let &[hours, minutes, seconds, frames] = &parts[..] else { return Err(wrong()) };
        let whole = |text: &str, below: u32| {
            let digits =
                !text.is_empty() && text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten().filter(|&number: &u32| number < below)
        };
        let (frame, part) = frames.split_once('.').unwrap_or((frames, "0"));
        let fraction = !part.is_empty() && part.len() <= 9 && part.bytes().all(|byte| byte.is_ascii_digit());
        let read = || -> Option<Self> {
            let seconds = whole(hours, 24)? * 3600 + whole(minutes, 60)? * 60 + whole(seconds, 60)?;
            let part: f64 = if fraction { format!("0.{part}").parse().ok()? } else { return None };
            Some(Self { seconds, frames: f64::from(whole(frame, 1000)?) + part })
        };
        read().ok_or_else(wrong)
    }
}

/// How timecodes count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Clock {
    /// Frames that a second of timecode counts: 30 for 29.97 frames a second, too.
    pub(super) base: u32,
    /// Frames a second of time.
    rate: Rate,
}

impl Clock {
    /// The clock of frames at `rate`: whole ones and their 1000/1001sts count themselves, others sixtieths of a second.
    pub(super) fn of(rate: Rate) -> Self {
        let base = rate.fps().round() as u32;
        let itself = rate == Rate::new(base, 1) || rate == Rate::new(1000 * base, 1001);
        if itself && BASES.contains(&base) {
            Self { base, rate }
        } else {
            Self { base: USUAL, rate: Rate::new(USUAL, 1) }
        }
    }

    /// The clock that a user names.
    pub(super) fn named(rate: Rate) -> Self {
        Self { base: (rate.fps().round() as u32).max(1), rate }
    }

    /// The clock of timecodes whose frames go up to `most`. Where they `wrap` from one second to the next, the last frame of a second was
    /// seen; else it is that of the rate `otherwise` where that is enough, or the app's own.
    pub(super) fn found(most: u32, wrap: bool, otherwise: Rate) -> Self {
        let least = BASES.into_iter().find(|&base| base > most);
        let own = Self::of(otherwise);
        match least {
            Some(least) if wrap => Self { base: least, rate: Rate::new(least, 1) },
            _ if own.base > most => own,
            Some(least) => Self { base: least.max(USUAL), rate: Rate::new(least.max(USUAL), 1) },
            None => Self { base: most + 1, rate: Rate::new(most + 1, 1) },
        }
    }

    /// Seconds since midnight.
    pub(super) fn time(self, timecode: Timecode) -> f64 {
        (f64::from(timecode.seconds) * f64::from(self.base) + timecode.frames) / self.rate.fps()
    }

    /// Seconds from midnight to midnight.
    pub(super) fn day(self) -> f64 {
        DAY * f64::from(self.base) / self.rate.fps()
    }

    /// Frames a second.
    pub(super) fn rate(self) -> Rate {
        self.rate
    }

    /// The timecode of frame `index` of a sequence at `rate`, from midnight on.
    pub(super) fn write(self, index: u64, rate: Rate) -> String {
        let thousandths = if rate == self.rate {
            u128::from(index) * 1000
        } else {
            // Nearest thousandth of the clock's frames, which are whole ones a second here.
            let (num, den) = (u128::from(rate.num), u128::from(rate.den));
            (u128::from(index) * den * u128::from(self.base) * 1000 + num / 2) / num
        };
        let base = u128::from(self.base);
        let (frames, part) = (thousandths / 1000, thousandths % 1000);
        let (seconds, frame) = (frames / base, frames % base);
        let (hours, minutes, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        format!("{hours:02}:{minutes:02}:{second:02}:{frame:02}.{part:03}")
    }
}
