//! Which instructions the operators use.

use std::{fmt, sync::OnceLock};

/// Forces a set of instructions, `avx512`, `avx2` or `portable`, or `plain`: the models' own bodies. What the processor lacks is ignored.
const FORCED: &str = "TALKGRAPH_ISA";

/// A set of instructions. AVX-512 and AVX2 give equal bits; portable code rounds products before it adds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// AVX-512 F.
    Avx512,
    /// AVX2 and FMA.
    Avx2,
    /// Whatever the compiler makes of plain code.
    Portable,
}

impl Isa {
    /// All of them, best first.
    const ALL: [Self; 3] = [Self::Avx512, Self::Avx2, Self::Portable];

    /// The one that this process uses: the one forced, else the best that the processor has. `None`: no operators.
    pub fn chosen() -> Option<Self> {
        static CHOSEN: OnceLock<Option<Isa>> = OnceLock::new();
        *CHOSEN.get_or_init(|| {
            let forced = std::env::var(FORCED).unwrap_or_default();
            let found = Self::available();
            let named = found.iter().copied().find(|isa| isa.to_string() == forced);
            if forced == "plain" { None } else { named.or_else(|| found.first().copied()) }
        })
    }

    /// Those that the processor has, best first.
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|isa| isa.is_there()).collect()
    }

    #[cfg(target_arch = "x86_64")]
    fn is_there(self) -> bool {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        match self {
            Self::Avx512 => avx2 && is_x86_feature_detected!("avx512f"),
            Self::Avx2 => avx2,
            Self::Portable => true,
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn is_there(self) -> bool {
        self == Self::Portable
    }

    /// How results are rounded, for keys: sets of instructions that give equal bits have one name.
    pub fn rounding(self) -> &'static str {
        match self {
            Self::Avx512 | Self::Avx2 => "fma",
            Self::Portable => "portable",
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Portable => "portable",
        })
    }
}
