//! A folder with a graph, its inputs, and all kinds of things under a name.

use std::{
    collections::BTreeMap,
    ffi::CString,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink, net::UnixListener},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// A photo and frames: one image, one video and one file of tensors come out, without any model.
const GRAPH: &str = "
talkgraph: 1
name: outputs
inputs: { photo: image, driving: frames }
nodes:
  picture: { type: write_image, in: { image: photo }, params: { width: 8 } }
  mux: { type: mux, in: { frames: driving }, params: { preset: ultrafast } }
  tensors: { type: write_tensors, in: { sequence: driving } }
outputs: { picture: picture.file, video: mux.video, tensors: tensors.file, photo: photo }
";

pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        fs::write(place.path("graph.yaml"), GRAPH).expect("a graph");
        fs::create_dir(place.path("driving")).expect("a folder");
        for frame in 1..=3u8 {
            let path = place.path(&format!("driving/{frame}.png"));
            fs::write(&path, png(frame * 40)).expect("a frame");
        }
        fs::write(place.path("photo.png"), png(200)).expect("a photo");
        fs::create_dir(place.path("cache")).expect("a folder");
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The program with its inputs, in the folder.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_talkgraph"));
        command.args([
            "run",
            "graph.yaml",
            "-i",
            "photo=photo.png",
            "-i",
            "driving=driving",
            "--cache",
            "cache",
        ]);
        command.args(args).current_dir(self.0.path()).env_remove("TALKGRAPH_PACK");
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the program")
    }

    /// Runs and gives what was said; the exit status must be `status`.
    pub fn ends(&self, status: i32, args: &[&str]) -> String {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
        said
    }

    /// Everything that a run reads, with its content.
    pub fn inputs(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let names = ["graph.yaml", "photo.png", "driving/1.png", "driving/2.png", "driving/3.png"];
        names.map(|name| (self.path(name), fs::read(self.path(name)).expect("an input"))).into()
    }

    pub fn link(&self, name: &str, target: &str) {
        symlink(target, self.path(name)).expect("a link");
    }

    pub fn fifo(&self, name: &str) {
        let made = unsafe { libc::mkfifo(c_path(&self.path(name)).as_ptr(), 0o644) };
        assert_eq!(made, 0, "a FIFO");
    }

    pub fn socket(&self, name: &str) {
        UnixListener::bind(self.path(name)).expect("a socket");
    }

    /// A device like `/dev/null` of its own. False, with a printed reason, where this user may make and open none: the
    /// system's own is never risked.
    pub fn device(&self, name: &str, kind: libc::mode_t, major: u32, minor: u32) -> bool {
        let path = self.path(name);
        let made =
            unsafe { libc::mknod(c_path(&path).as_ptr(), kind | 0o666, libc::makedev(major, minor)) } == 0;
        let usable =
            made && (kind == libc::S_IFBLK || fs::OpenOptions::new().write(true).open(&path).is_ok());
        if !usable {
            eprintln!("skipped: devices cannot be made here");
        }
        usable
    }
}

fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).expect("a path")
}

/// A grey image of 16 pixels a side.
fn png(grey: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(vec![]);
    let image = image::GrayImage::from_pixel(16, 16, image::Luma([grey]));
    image.write_to(&mut bytes, image::ImageFormat::Png).expect("an image");
    bytes.into_inner()
}
