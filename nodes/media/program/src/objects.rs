//! What is open, by the caller's numbers.

use std::{collections::HashMap, fs::File, os::fd::OwnedFd};

use talkgraph_media::{
    Block, Container, Error, Result,
    protocol::{BlockHead, Id, Reply, Request, Track},
};

use crate::{
    audio::AudioReader,
    encode::{AudioTrack, Writer},
    ffmpeg::failed,
    files::{Sink, Source},
    packets::{self, PacketReader},
    picture,
    resample::Resampler,
    serve::{Answer, misfit, one},
    track::{self, Lossless},
    video::Pictures,
    webp::Webp,
};

/// Samples of all channels together that are answered at once, at least.
const BATCH: usize = 1 << 16;

/// One open thing.
enum Object {
    Video(Box<Pictures>),
    Audio(Box<AudioReader>),
    Resampler(Option<Resampler>),
    Lossless(Named<Lossless>),
    Writer(Named<Writer>),
    Webp(Named<Webp>),
}

/// A file being written, with its name for messages.
struct Named<T> {
    name: String,
    file: Box<T>,
    frames: u64,
}

impl<T> Named<T> {
    fn new(name: String, file: T) -> Self {
        Self { name, file: Box::new(file), frames: 0 }
    }
}

/// All open things.
#[derive(Default)]
pub(crate) struct Objects(HashMap<Id, Object>);

impl Objects {
    /// Does what is asked.
    pub(crate) fn answer(&mut self, request: Request, bulk: &[u8], files: Vec<OwnedFd>) -> Result<Answer> {
        let reply = match request {
            // Both are answered elsewhere.
            Request::Hello | Request::TryToEscape { .. } => return Err(misfit()),
            Request::OpenVideo { id, name, max_side } => {
                let pictures = Pictures::open(Source::new(one(files)?), name, max_side)?;
                let reply = Reply::Video {
                    step: pictures.step(),
                    seconds: pictures.seconds(),
                    has_audio: pictures.has_audio(),
                };
                self.0.insert(id, Object::Video(Box::new(pictures)));
                reply
            }
            Request::NextPicture(id) => return next_picture(self.video(id)?),
            Request::OpenAudio { id, name, number, with_pictures } => {
                let source = Source::new(one(files)?);
                let reader = AudioReader::open(source, name, number as usize, with_pictures)?;
                let (tracks, taken) = reader.tracks();
                let reply = Reply::Audio {
                    rate: reader.rate(),
                    channels: reader.channels(),
                    is_pcm: reader.is_pcm,
                    tracks,
                    taken: taken as u32,
                };
                self.0.insert(id, Object::Audio(Box::new(reader)));
                reply
            }
            Request::NextBlocks(id) => match self.0.get_mut(&id) {
                Some(Object::Audio(reader)) => return next_blocks(reader),
                _ => return Err(misfit()),
            },
            Request::Survey { name, number, with_pictures } => {
                let source = Source::new(one(files)?);
                Reply::Layout(packets::survey(source, name, number as usize, with_pictures)?)
            }
            Request::Seconds { name } => Reply::Seconds(packets::seconds(Source::new(one(files)?), &name)?),
            Request::CopyTrack { name, number, layout, container, to } => {
                let (from, target) = two(files)?;
                let reader = PacketReader::open(Source::new(from), name, number as usize)?;
                track::copy(reader, layout, (Sink::new(target), &to), container)?;
                Reply::Done
            }
            Request::OpenResampler { id, from, to, channels } => {
                let resampler = Resampler::new(from, to, channels).map_err(cannot_resample)?;
                self.0.insert(id, Object::Resampler(Some(resampler)));
                Reply::Done
            }
            Request::Resample { id, last } => match self.0.get_mut(&id) {
                Some(Object::Resampler(resampler)) => {
                    return resample(resampler, bulk, last).map(|samples| Some((Reply::Samples, samples)));
                }
                _ => return Err(misfit()),
            },
            Request::CreateLossless { id, name, settings } => {
                let file = Lossless::create(Sink::new(one(files)?), settings)
                    .map_err(|error| failed(format!("{name}: cannot be created"), error))?;
                self.0.insert(id, Object::Lossless(Named::new(name, file)));
                Reply::Done
            }
            Request::CreateVideo { id, name, container, settings, audio } => {
                let (target, audio) = audio_of(files, audio, container)?;
                let file = Writer::create(Sink::new(target), container, &settings, audio)
                    .map_err(|error| failed(format!("{name}: cannot be created"), error))?;
                self.0.insert(id, Object::Writer(Named::new(name, file)));
                Reply::Done
            }
            Request::CreateWebp { id, name, settings, xmp } => {
                let file = Webp::create(Sink::new(one(files)?), settings, xmp)
                    .map_err(|error| failed(format!("{name}: cannot be created"), error))?;
                self.0.insert(id, Object::Webp(Named::new(name, file)));
                Reply::Done
            }
            Request::Frame(id) => return self.frame(id, bulk).map(|()| None),
            Request::Samples(id) => return self.samples(id, bulk).map(|()| None),
            Request::PacketsUntil { id, end } => {
                let Some(Object::Writer(writer)) = self.0.get_mut(&id) else { return Err(misfit()) };
                return writer.file.packets_until(end, &writer.name).map(|()| None);
            }
            Request::Finish { id, audio_end } => {
                let object = self.0.remove(&id).ok_or_else(misfit)?;
                Reply::Finished { silent_packets: finish(object, audio_end)? }
            }
            Request::Picture { name, under } => {
                let decoded = picture::decode(Source::new(one(files)?), &name, under)?;
                let (width, height) = decoded.picture.dimensions();
                let reply = Reply::Picture { width, height, lacks_end: decoded.lacks_end };
                return Ok(Some((reply, decoded.picture.into_raw())));
            }
            Request::Close(id) => {
                self.0.remove(&id);
                return Ok(None);
            }
        };
        Ok(Some((reply, vec![])))
    }

    fn video(&mut self, id: Id) -> Result<&mut Pictures> {
        match self.0.get_mut(&id) {
            Some(Object::Video(pictures)) => Ok(pictures),
            _ => Err(misfit()),
        }
    }

    fn frame(&mut self, id: Id, rgb: &[u8]) -> Result<()> {
        let (name, frames, done) = match self.0.get_mut(&id) {
            Some(Object::Writer(Named { name, file, frames })) => (name, frames, file.frame(rgb)),
            Some(Object::Webp(Named { name, file, frames })) => (name, frames, file.frame(rgb)),
            _ => return Err(misfit()),
        };
        done.map_err(|error| failed(format!("{name}: frame {frames} cannot be written"), error))?;
        *frames += 1;
        Ok(())
    }

    fn samples(&mut self, id: Id, bulk: &[u8]) -> Result<()> {
        let samples = floats(bulk);
        let (name, done) = match self.0.get_mut(&id) {
            Some(Object::Writer(Named { name, file, .. })) => (name, file.samples(&samples)),
            Some(Object::Lossless(Named { name, file, .. })) => (name, file.push(&samples)),
            _ => return Err(misfit()),
        };
        done.map_err(|error| failed(format!("{name}: cannot be written"), error))
    }
}

fn next_picture(pictures: &mut Pictures) -> Result<Answer> {
    Ok(Some(match pictures.next_picture()? {
        Some(shown) => {
            let (width, height) = shown.picture.dimensions();
            let (seconds, lasts) = (shown.seconds, shown.lasts);
            (Reply::Shown { width, height, seconds, lasts }, shown.picture.into_raw())
        }
        None => {
            let (sizes, damaged) = (pictures.sizes().to_vec(), pictures.damaged);
            (Reply::VideoEnd { sizes, damaged }, vec![])
        }
    }))
}

fn next_blocks(reader: &mut AudioReader) -> Result<Answer> {
    let (mut blocks, mut bulk) = (vec![], vec![]);
    while bulk.len() < BATCH * size_of::<f32>() {
        let Some(block) = reader.next()? else { break };
        let Block { rate, channels, layout, bits, samples } = block;
        bulk.extend_from_slice(bytemuck::cast_slice(&samples));
        blocks.push(BlockHead { rate, channels, layout, bits, samples: samples.len() as u32 });
    }
    Ok(Some((Reply::Blocks { blocks, filled: reader.filled, damaged: reader.damaged }, bulk)))
}

fn resample(resampler: &mut Option<Resampler>, bulk: &[u8], last: bool) -> Result<Vec<u8>> {
    let mut out = vec![];
    let open = resampler.as_mut().ok_or_else(misfit)?;
    open.push(&floats(bulk), &mut out).map_err(cannot_resample)?;
    if last && let Some(open) = resampler.take() {
        open.finish(&mut out).map_err(cannot_resample)?;
    }
    Ok(bytemuck::cast_slice(&out).to_vec())
}

fn finish(object: Object, audio_end: u64) -> Result<u64> {
    let (name, done) = match object {
        Object::Writer(Named { name, file, .. }) => (name, file.finish(audio_end)),
        Object::Lossless(Named { name, file, .. }) => (name, file.finish().map(|()| 0)),
        Object::Webp(Named { name, file, .. }) => (name, file.finish().map(|()| 0)),
        Object::Video(_) | Object::Audio(_) | Object::Resampler(_) => return Err(misfit()),
    };
    done.map_err(|error| failed(format!("{name}: cannot be written"), error))
}

/// The file to be written and where its audio comes from.
fn audio_of(
    files: Vec<OwnedFd>,
    audio: Option<Track>,
    container: Container,
) -> Result<(File, Option<AudioTrack>)> {
    Ok(match audio {
        None => (one(files)?, None),
        Some(Track::Samples(settings)) => (one(files)?, Some(AudioTrack::Samples(settings))),
        Some(Track::Packets { name, layout }) => {
            let (target, source) = two(files)?;
            let reader = PacketReader::open(Source::new(source), name, 0)?;
            (target, Some(AudioTrack::Packets(packets::Feed::new(reader, layout, container))))
        }
    })
}

fn two(files: Vec<OwnedFd>) -> Result<(File, File)> {
    match <[_; 2]>::try_from(files) {
        Ok([one, two]) => Ok((one.into(), two.into())),
        Err(_) => Err(misfit()),
    }
}

fn floats(bulk: &[u8]) -> Vec<f32> {
    bytemuck::pod_collect_to_vec(bulk)
}

fn cannot_resample(error: ffmpeg_next::Error) -> Error {
    failed("the audio cannot be resampled", error)
}
