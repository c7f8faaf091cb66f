//! HEIC and AVIF by libheif.
//!
//! The crate of its bindings asks for libheif 1.17, Debian 12 has 1.15. What is declared here has been in libheif, as it is, since 1.4.

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    ptr, slice,
};

use image::{DynamicImage, RgbImage, RgbaImage};

/// Most sides' worth of pixels that libheif itself lets pass.
const MAX_SIDE: c_int = 32_768;

#[repr(C)]
struct Context([u8; 0]);
#[repr(C)]
struct Handle([u8; 0]);
#[repr(C)]
struct Image([u8; 0]);

/// `heif_error`.
#[repr(C)]
struct Status {
    code: c_int,
    subcode: c_int,
    message: *const c_char,
}

/// `heif_color_profile_nclx`, as far as it is used.
#[repr(C)]
struct Nclx {
    version: u8,
    primaries: c_int,
}

const COLOURSPACE_RGB: c_int = 1;
const CHROMA_RGB: c_int = 10;
const CHROMA_RGBA: c_int = 11;
const CHANNEL_INTERLEAVED: c_int = 10;

#[link(name = "heif")]
unsafe extern "C" {
    fn heif_init(parameters: *mut c_void) -> Status;
    fn heif_get_version() -> *const c_char;
    fn heif_context_alloc() -> *mut Context;
    fn heif_context_free(context: *mut Context);
    fn heif_context_set_maximum_image_size_limit(context: *mut Context, side: c_int);
    fn heif_context_read_from_memory_without_copy(
        context: *mut Context,
        bytes: *const c_void,
        length: usize,
        options: *const c_void,
    ) -> Status;
    fn heif_context_get_primary_image_handle(context: *mut Context, handle: *mut *mut Handle) -> Status;
    fn heif_image_handle_release(handle: *const Handle);
    fn heif_image_handle_get_width(handle: *const Handle) -> c_int;
    fn heif_image_handle_get_height(handle: *const Handle) -> c_int;
    fn heif_image_handle_has_alpha_channel(handle: *const Handle) -> c_int;
    fn heif_image_handle_get_raw_color_profile_size(handle: *const Handle) -> usize;
    fn heif_image_handle_get_raw_color_profile(handle: *const Handle, data: *mut c_void) -> Status;
    fn heif_image_handle_get_nclx_color_profile(handle: *const Handle, profile: *mut *mut Nclx) -> Status;
    fn heif_nclx_color_profile_free(profile: *mut Nclx);
    fn heif_decode_image(
        handle: *const Handle,
        image: *mut *mut Image,
        colourspace: c_int,
        chroma: c_int,
        options: *const c_void,
    ) -> Status;
    fn heif_image_get_width(image: *const Image, channel: c_int) -> c_int;
    fn heif_image_get_height(image: *const Image, channel: c_int) -> c_int;
    fn heif_image_get_plane_readonly(image: *const Image, channel: c_int, stride: *mut c_int) -> *const u8;
    fn heif_image_release(image: *const Image);
}

/// What colours mean.
pub(crate) enum Colours {
    /// An ICC profile.
    Icc(Vec<u8>),
    /// The primaries' code in ITU-T H.273.
    Primaries(u8),
    /// Not said.
    Unknown,
}

/// Loads what libheif loads by itself later, when it may not any more.
pub(crate) fn init() {
    // SAFETY: no parameters are the default ones. What is missing then is told by the first picture.
    unsafe { heif_init(ptr::null_mut()) };
}

/// The library's version.
pub(crate) fn version() -> String {
    // SAFETY: a static text.
    unsafe { CStr::from_ptr(heif_get_version()) }.to_string_lossy().into_owned()
}

/// The main picture of a file in memory, before it is decoded.
pub(crate) struct Picture<'a> {
    context: *mut Context,
    handle: *mut Handle,
    bytes: std::marker::PhantomData<&'a [u8]>,
}

impl<'a> Picture<'a> {
    /// Reads the file's structure.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let mut picture =
            Self { context: ptr::null_mut(), handle: ptr::null_mut(), bytes: std::marker::PhantomData };
        // SAFETY: the context is freed once, by `drop`; the bytes live as long as it does.
        unsafe {
            picture.context = heif_context_alloc();
            if picture.context.is_null() {
                return Err("not enough memory".to_owned());
            }
            heif_context_set_maximum_image_size_limit(picture.context, MAX_SIDE);
            let (data, length) = (bytes.as_ptr().cast(), bytes.len());
            done(heif_context_read_from_memory_without_copy(picture.context, data, length, ptr::null()))?;
            done(heif_context_get_primary_image_handle(picture.context, &mut picture.handle))?;
        }
        Ok(picture)
    }

    /// Columns and rows, upright.
    pub(crate) fn size(&self) -> (u32, u32) {
        let side = |n: c_int| u32::try_from(n).unwrap_or(0);
        // SAFETY: the handle is valid.
        unsafe {
            (side(heif_image_handle_get_width(self.handle)), side(heif_image_handle_get_height(self.handle)))
        }
    }

    /// What its colours mean.
    pub(crate) fn colours(&self) -> Colours {
        // SAFETY: the handle is valid, the buffer as large as was told, and the profile freed once.
        unsafe {
            let size = heif_image_handle_get_raw_color_profile_size(self.handle);
            if size > 0 {
                let mut icc = vec![0u8; size];
                if heif_image_handle_get_raw_color_profile(self.handle, icc.as_mut_ptr().cast()).code == 0 {
                    return Colours::Icc(icc);
                }
            }
            let mut nclx = ptr::null_mut();
            let found = heif_image_handle_get_nclx_color_profile(self.handle, &mut nclx);
            if found.code != 0 || nclx.is_null() {
                return Colours::Unknown;
            }
            let primaries = (*nclx).primaries;
            heif_nclx_color_profile_free(nclx);
            u8::try_from(primaries).map_or(Colours::Unknown, Colours::Primaries)
        }
    }

    /// The pixels, in 8 bits, upright: the file's turns and mirrors are applied.
    pub(crate) fn decode(&self) -> Result<DynamicImage, String> {
        // SAFETY: handle and image are valid, and the image is released once. Rows are read within the plane that was told.
        unsafe {
            let alpha = heif_image_handle_has_alpha_channel(self.handle) != 0;
            let (chroma, channels) = if alpha { (CHROMA_RGBA, 4) } else { (CHROMA_RGB, 3) };
            let mut image = ptr::null_mut();
            done(heif_decode_image(self.handle, &mut image, COLOURSPACE_RGB, chroma, ptr::null()))?;
            let pixels = pixels(image, channels);
            heif_image_release(image);
            let (width, height, pixels) = pixels.ok_or("no pixels")?;
            let picture = if alpha {
                RgbaImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgba8)
            } else {
                RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8)
            };
            picture.ok_or_else(|| "no pixels".to_owned())
        }
    }
}

/// Copies the pixels of an interleaved image.
///
/// # Safety
/// `image` is valid.
unsafe fn pixels(image: *const Image, channels: usize) -> Option<(u32, u32, Vec<u8>)> {
    // SAFETY: the caller's word; a plane has as many rows of as many bytes as the library says.
    unsafe {
        let side = |n: c_int| u32::try_from(n).ok().filter(|&n| n > 0);
        let width = side(heif_image_get_width(image, CHANNEL_INTERLEAVED))?;
        let height = side(heif_image_get_height(image, CHANNEL_INTERLEAVED))?;
        let mut stride = 0;
        let plane = heif_image_get_plane_readonly(image, CHANNEL_INTERLEAVED, &mut stride);
        let row = width as usize * channels;
        let stride = usize::try_from(stride).ok().filter(|&stride| stride >= row && !plane.is_null())?;
        let mut pixels = Vec::with_capacity(row * height as usize);
        for j in 0..height as usize {
            pixels.extend_from_slice(slice::from_raw_parts(plane.add(j * stride), row));
        }
        Some((width, height, pixels))
    }
}

impl Drop for Picture<'_> {
    fn drop(&mut self) {
        // SAFETY: both are this value's own; null is let pass.
        unsafe {
            if !self.handle.is_null() {
                heif_image_handle_release(self.handle);
            }
            if !self.context.is_null() {
                heif_context_free(self.context);
            }
        }
    }
}

fn done(status: Status) -> Result<(), String> {
    if status.code == 0 {
        return Ok(());
    }
    if status.message.is_null() {
        return Err(format!("error {}", status.code));
    }
    // SAFETY: a text of the library's, valid for now.
    Err(unsafe { CStr::from_ptr(status.message) }.to_string_lossy().into_owned())
}
