//! Rotations between matrices and angles: R = Ry(yaw) · Rx(pitch) · Rz(roll), the convention of packs (docs/packs.md).

/// Rows of a rotation.
pub(super) type Rotation = [[f64; 3]; 3];

/// Pitch, yaw and roll, in radians.
pub(super) fn angles(rows: &Rotation) -> [f32; 3] {
    let pitch = (-rows[1][2]).clamp(-1.0, 1.0).asin();
    let yaw = rows[0][2].atan2(rows[2][2]);
    let roll = rows[1][0].atan2(rows[1][1]);
    [pitch as f32, yaw as f32, roll as f32]
}

/// The rotation by pitch, yaw and roll, in radians.
pub(super) fn rotation([pitch, yaw, roll]: [f32; 3]) -> Rotation {
    let [(sp, cp), (sy, cy), (sr, cr)] = [pitch, yaw, roll].map(|angle| f64::from(angle).sin_cos());
    [
        [cy * cr + sy * sp * sr, sy * sp * cr - cy * sr, sy * cp],
        [cp * sr, cp * cr, -sp],
        [cy * sp * sr - sy * cr, sy * sr + cy * sp * cr, cy * cp],
    ]
}

/// The columns of `rows` without their lengths; `None` where one has none or is not finite.
pub(super) fn unscaled(rows: &Rotation) -> Option<Rotation> {
    let mut out = *rows;
    for column in 0..3 {
        let length = rows.iter().map(|row| row[column] * row[column]).sum::<f64>().sqrt();
        if !length.is_finite() || length < 1e-6 {
            return None;
        }
        out.iter_mut().for_each(|row| row[column] /= length);
    }
    Some(out)
}
