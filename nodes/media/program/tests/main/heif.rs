//! HEIC and AVIF files by libheif's encoders, which the program does not use.

use std::{
    ffi::{CString, c_char, c_int, c_void},
    path::Path,
    ptr,
};

use image::RgbImage;

pub const HEVC: c_int = 1;
pub const AV1: c_int = 4;

#[repr(C)]
struct Status {
    code: c_int,
    subcode: c_int,
    message: *const c_char,
}

#[link(name = "heif")]
unsafe extern "C" {
    fn heif_context_alloc() -> *mut c_void;
    fn heif_context_free(context: *mut c_void);
    fn heif_context_get_encoder_for_format(
        context: *mut c_void,
        format: c_int,
        encoder: *mut *mut c_void,
    ) -> Status;
    fn heif_encoder_set_lossy_quality(encoder: *mut c_void, quality: c_int) -> Status;
    fn heif_encoder_release(encoder: *mut c_void);
    fn heif_image_create(
        width: c_int,
        height: c_int,
        colours: c_int,
        chroma: c_int,
        image: *mut *mut c_void,
    ) -> Status;
    fn heif_image_add_plane(
        image: *mut c_void,
        channel: c_int,
        width: c_int,
        height: c_int,
        bits: c_int,
    ) -> Status;
    fn heif_image_get_plane(image: *mut c_void, channel: c_int, stride: *mut c_int) -> *mut u8;
    fn heif_image_set_raw_color_profile(
        image: *mut c_void,
        kind: *const c_char,
        data: *const c_void,
        size: usize,
    ) -> Status;
    fn heif_image_release(image: *mut c_void);
    fn heif_context_encode_image(
        context: *mut c_void,
        image: *mut c_void,
        encoder: *mut c_void,
        options: *const c_void,
        handle: *mut *mut c_void,
    ) -> Status;
    fn heif_context_write_to_file(context: *mut c_void, name: *const c_char) -> Status;
}

/// Writes `picture` with `codec`; false, with the reason printed, where libheif has no encoder for it.
pub fn written(path: &Path, picture: &RgbImage, codec: c_int, icc: Option<&[u8]>) -> bool {
    let (width, height) = (picture.width() as c_int, picture.height() as c_int);
    let name = CString::new(path.to_str().expect("a plain name")).expect("a plain name");
    let kind = CString::new("prof").expect("no zero");
    // SAFETY: libheif's own sequence of calls; rows are written within the plane that it tells, all is released once.
    unsafe {
        let context = heif_context_alloc();
        let (mut encoder, mut image) = (ptr::null_mut(), ptr::null_mut());
        if heif_context_get_encoder_for_format(context, codec, &mut encoder).code != 0 {
            eprintln!("skipped: this libheif encodes no {}", path.display());
            heif_context_free(context);
            return false;
        }
        heif_encoder_set_lossy_quality(encoder, 95);
        assert_eq!(heif_image_create(width, height, 1, 10, &mut image).code, 0);
        assert_eq!(heif_image_add_plane(image, 10, width, height, 8).code, 0);
        let mut stride = 0;
        let plane = heif_image_get_plane(image, 10, &mut stride);
        for (j, row) in picture.as_raw().chunks_exact(width as usize * 3).enumerate() {
            ptr::copy_nonoverlapping(row.as_ptr(), plane.add(j * stride as usize), row.len());
        }
        if let Some(icc) = icc {
            let set = heif_image_set_raw_color_profile(image, kind.as_ptr(), icc.as_ptr().cast(), icc.len());
            assert_eq!(set.code, 0);
        }
        let encoded = heif_context_encode_image(context, image, encoder, ptr::null(), ptr::null_mut());
        assert_eq!(encoded.code, 0, "{}", path.display());
        assert_eq!(heif_context_write_to_file(context, name.as_ptr()).code, 0);
        heif_image_release(image);
        heif_encoder_release(encoder);
        heif_context_free(context);
    }
    true
}
