//! One channel out of many, for what is analysed.
//!
//! A mean of the channels loses speech whose channels cancel, and makes it quieter where only some of them have it. So the whole
//! track is listened to first: the centre where the file has one that is not silent, else every channel by its share of the
//! energy, turned round where it runs against the loudest.

use std::{borrow::Cow, collections::BTreeMap};

use talkgraph_media::Block;

/// Bits of a layout's mask: both front loudspeakers and the centre.
const FRONT: u64 = 0b111;
/// Loudspeaker for low frequencies: effects, no speech.
const LOW: u64 = 0b1000;

/// The centre is silent when it is this much quieter, in energy, than the loudest channel.
const SILENT: f64 = 0.01;

/// Products of every channel with every other, summed over a track. A track may change its channels midway.
#[derive(Default)]
pub(super) struct Moments(BTreeMap<(u16, u64), Vec<f64>>);

impl Moments {
    /// Listens to a block.
    pub(super) fn add(&mut self, block: &Block) {
        let channels = usize::from(block.channels);
        let products =
            self.0.entry((block.channels, block.layout)).or_insert_with(|| vec![0.0; channels * channels]);
        let finite = |x: f32| if x.is_finite() { f64::from(x) } else { 0.0 };
        for frame in block.samples.chunks_exact(channels) {
            for (a, row) in products.chunks_exact_mut(channels).enumerate() {
                let x = finite(frame[a]);
                row[a..].iter_mut().zip(&frame[a..]).for_each(|(sum, &y)| *sum += x * finite(y));
            }
        }
    }

    /// Every channel's weight in what is analysed; their amounts sum to one.
    pub(super) fn downmix(&self) -> Downmix {
        let weighed = self.0.iter().map(|(&(channels, layout), products)| {
            ((channels, layout), weights(usize::from(channels), layout, products))
        });
        Downmix(weighed.collect())
    }
}

fn weights(channels: usize, layout: u64, products: &[f64]) -> Vec<f32> {
    let product = |a: usize, b: usize| products[a.min(b) * channels + a.max(b)];
    let place = |bit: u64| (layout & (bit - 1)).count_ones() as usize;
    let low = (layout & LOW != 0 && channels > 1).then(|| place(LOW));
    let energy = |channel: usize| if low == Some(channel) { 0.0 } else { product(channel, channel) };
    let loudest =
        (0..channels).fold(0, |best, channel| if energy(channel) > energy(best) { channel } else { best });
    let most = energy(loudest);
    if most <= 0.0 {
        return vec![1.0 / channels as f32; channels];
    }
    if layout & FRONT == FRONT && channels > 2 && energy(2) >= SILENT * most {
        return (0..channels).map(|channel| if channel == 2 { 1.0 } else { 0.0 }).collect();
    }
    // Powers of two: a changed end of a long track rarely changes the weights, and so keeps the chunks before it.
    let share = |channel: usize| {
        let halvings = (most / energy(channel)).log2().round();
        if halvings > 7.0 { 0.0 } else { (-halvings).exp2() }
    };
    let sum: f64 = (0..channels).map(share).sum();
    let turned = |channel: usize| product(channel, loudest) < -0.25 * (energy(channel) * most).sqrt();
    // The first channel that counts stays as it is, whichever is the loudest by a hair.
    let all_turned = (0..channels).find(|&channel| share(channel) > 0.0).is_some_and(turned);
    let weight = |channel: usize| {
        let size = (share(channel) / sum) as f32;
        if turned(channel) == all_turned { size } else { -size }
    };
    (0..channels).map(weight).collect()
}

/// How channels become one.
#[derive(Default)]
pub(super) struct Downmix(BTreeMap<(u16, u64), Vec<f32>>);

impl Downmix {
    /// The one channel of `block`.
    pub(super) fn apply<'a>(&self, block: &'a Block) -> Cow<'a, [f32]> {
        if block.channels == 1 {
            return Cow::Borrowed(&block.samples);
        }
        let Some(weights) = self.0.get(&(block.channels, block.layout)) else {
            return Cow::Owned(block.mono());
        };
        let frames = block.samples.chunks_exact(weights.len());
        Cow::Owned(frames.map(|frame| frame.iter().zip(weights).map(|(x, w)| x * w).sum()).collect())
    }

    /// The weights, for the report.
    pub(super) fn weights(&self) -> impl Iterator<Item = &[f32]> {
        self.0.values().map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Speech and noise that have nothing to do with each other, in channels weighted as `mix` says.
    fn heard(layout: u64, mix: &[[f32; 2]]) -> Vec<f32> {
        let speech = |i: usize| (i as f32 * 0.1).sin();
        let noise = |i: usize| (i as f32 * 0.237).sin();
        let frames = (0..20_000).flat_map(|i| mix.iter().map(move |[a, b]| a * speech(i) + b * noise(i)));
        let block =
            Block { rate: 16_000, channels: mix.len() as u16, layout, bits: 16, samples: frames.collect() };
        let mut moments = Moments::default();
        moments.add(&block);
        let downmix = moments.downmix();
        let out = downmix.apply(&block).into_owned();
        // The speech in what comes out, by projection.
        let gain = out.iter().enumerate().map(|(i, x)| x * speech(i)).sum::<f32>() / 10_000.0;
        assert!((gain.abs() - 1.0).abs() < 0.01 || mix.len() == 4, "{gain}");
        downmix.weights().next().unwrap().to_vec()
    }

    #[test]
    fn speech_keeps_its_level_wherever_it_is() {
        let (yes, no) = ([1.0, 0.0], [0.0; 2]);
        assert_eq!(heard(3, &[yes, yes]), [0.5, 0.5]);
        assert_eq!(heard(3, &[yes, [-1.0, 0.0]]), [0.5, -0.5]);
        assert_eq!(heard(3, &[no, yes]), [0.0, 1.0]);
        assert_eq!(heard(0x3f, &[no, no, yes, no, no, no]), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(heard(0x3f, &[[0.0, 2.0], [0.0, 2.0], yes, no, no, no])[2], 1.0);
        assert_eq!(heard(0, &[no, no, yes, no, no, no])[2], 1.0);
        // Without a centre that speaks, low frequencies do not count.
        assert_eq!(heard(0x3f, &[yes, yes, no, [0.0, 3.0], no, no]), [0.5, 0.5, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn channels_of_one_loudness_count_the_same_and_silence_is_no_division() {
        assert_eq!(heard(0, &[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]), [0.25; 4]);
        assert_eq!(weights(2, 3, &[0.0; 4]), [0.5, 0.5]);
    }

    #[test]
    fn the_first_channel_keeps_its_sign() {
        assert_eq!(heard(3, &[[0.99, 0.0], [-1.0, 0.0]])[0], 0.5);
    }
}
