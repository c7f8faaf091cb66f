//! Videos: written, and read again.

use talkgraph_media::{
    AudioReader, AudioSettings, AudioSource, Container, FrameRate, Pictures, Session, Settings, Writer,
};

use super::made;

fn settings(width: u32, height: u32) -> Settings {
    let rate = FrameRate { num: 25, den: 1 };
    Settings { rate, width, height, crf: 18, preset: "veryfast".to_owned(), tags: vec![] }
}

#[test]
fn what_is_written_is_read_again_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mp4");
    let session = Session::start().unwrap();
    let audio = AudioSource::Samples(AudioSettings { rate: 48_000, channels: 1, bit_rate: 96_000, bits: 0 });
    let mut writer =
        Writer::create(&session, &path, Container::Mp4, &settings(64, 48), Some(&audio)).unwrap();
    for k in 0..30u8 {
        writer.frame(&[k * 8; 64 * 48 * 3]).unwrap();
        writer.samples(&[0.1; 1_920]).unwrap();
    }
    writer.finish(0, &|| false).unwrap();
    let mut pictures = Pictures::open(&path, 0).unwrap();
    for k in 0..30u8 {
        let shown = pictures.next_picture().unwrap().unwrap();
        assert!(shown.picture.get_pixel(30, 20).0[1].abs_diff(k * 8) <= 3, "frame {k}");
    }
    assert!(pictures.next_picture().unwrap().is_none() && pictures.next_picture().unwrap().is_none());
    assert_eq!((pictures.sizes(), pictures.damaged), (&["64x48".to_owned()][..], 0));
    let mut reader = AudioReader::open(&session, &path, 0).unwrap();
    let mut samples = 0;
    while let Some(block) = reader.next_block().unwrap() {
        samples += block.samples.len();
    }
    // Decoders give the last packet whole.
    assert_eq!((reader.rate(), samples), (48_000, 57_600usize.next_multiple_of(1_024)));
}

#[test]
fn a_frame_of_another_size_is_an_error_and_nothing_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mp4");
    let session = Session::start().unwrap();
    let mut writer = Writer::create(&session, &path, Container::Mp4, &settings(64, 48), None).unwrap();
    writer.frame(&[0; 7]).unwrap();
    let error = writer.finish(0, &|| false).unwrap_err().to_string();
    assert!(error.ends_with("a.mp4: frame 0 cannot be written"), "{error}");
}

#[test]
fn files_that_name_others_open_none() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.wav");
    made::ffmpeg(&["-f", "lavfi", "-i", "sine=duration=1"], &secret);
    let name = secret.display();
    for (file, text) in [
        ("a.m3u8", format!("#EXTM3U\n#EXTINF:1,\n{name}\n")),
        ("a.ffconcat", format!("ffconcat version 1.0\nfile '{name}'\n")),
        (
            "a.sdp",
            format!("v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\na={name}\n"),
        ),
        // Bytes that are no text do not make it anything else.
        ("b.m3u8", format!("#EXTM3U\0\u{1}\n#EXTINF:1,\n{name}\n")),
        ("b.ffconcat", format!("ffconcat version 1.0\nfile '{name}'\n#\0\u{1}")),
        ("%d.png", "\u{89}PNG\0".to_owned()),
    ] {
        let path = folder.path().join(file);
        std::fs::write(&path, text).unwrap();
        let error =
            AudioReader::open(&Session::start().unwrap(), &path, 0).map(drop).unwrap_err().to_string();
        assert!(error.contains("expected audio, found"), "{error}");
    }
}
