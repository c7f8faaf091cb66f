use crate::{
    artifact::Value,
    body::{Context, Inputs, MapBody, Outputs},
    error::{NodeError, Result},
    models::Models,
    pack::{Pack, Region},
    params::Params,
    tensor::{Tensor, Tensors},
    volume::{Camera, Pinhole},
};

/// Share of the bounds that a person may go beyond their rest, wherever that is.
const ROOM: f32 = 0.5;

/// An expression coefficient.
pub(super) struct Channel {
    /// Whether it shuts an eye.
    lid: bool,
    gain: f32,
    bounds: [f32; 2],
}

impl Channel {
    #[cfg(test)]
    pub(super) fn lid(gain: f32) -> Self {
        Self { lid: true, gain, bounds: [-0.4, 1.1] }
    }

    /// The person's coefficient, `rest` when nothing is done, while the driver does `driven`.
    pub(super) fn moved(&self, rest: f32, driven: f32) -> f32 {
        let driven = self.gain * driven;
        let moved = if self.lid && driven > 0.0 {
            // A share of the way from as open as they are, however wide that is, to shut.
            let open = rest.max(0.0);
            open + driven * (1.0 - open).max(0.0)
        } else {
            rest + driven
        };
        // A person at rest may lie near the bounds or beyond: there is always some room for what the driver adds.
        let [low, high] = self.bounds;
        moved.clamp(low.min(rest + ROOM * low), high.max(rest + ROOM * high))
    }
}

pub(super) struct Retarget {
    relative: bool,
    /// Gains of the regions, in the order of [`Region::ALL`].
    gains: [f32; 4],
    turn_relative: bool,
    head: f32,
    place: f32,
    nearness: f32,
    farthest: f32,
}

impl Retarget {
    pub(super) fn new(params: &Params) -> Result<Self> {
        let number = |name: &str| params.float(name).map(|x| x as f32);
        let mut gains = [0.0; 4];
        for (gain, (_, name)) in gains.iter_mut().zip(Region::ALL) {
            *gain = number(name)?;
        }
        Ok(Self {
            relative: params.text("expression")? == "relative",
            gains,
            turn_relative: params.text("rotation")? == "relative",
            head: number("head")?,
            place: number("place")?,
            nearness: number("nearness")?,
            farthest: number("farthest")?,
        })
    }

    /// Region, gain and bounds of every expression coefficient.
    fn channels(&self, pack: &Pack) -> Vec<Channel> {
        let [low, high] = pack.expression_bounds().unwrap_or([f32::NEG_INFINITY, f32::INFINITY]);
        let channel = |name: &String| {
            let region = pack.regions().of(name);
            let bounds = region.bounds([low, high]);
            Channel { lid: region == Region::Eyes, gain: self.gains[region.index()], bounds }
        };
        pack.expression().iter().map(channel).collect()
    }

    /// Pitch, yaw and roll out of the driver's rotation, its neutral's and the person's.
    fn rotation(&self, driver: &[f32], rest: &[f32], person: &[f32]) -> [f32; 3] {
        std::array::from_fn(|axis| match self.turn_relative {
            true => person[axis] + self.head * (driver[axis] - rest[axis]),
            false => self.head * driver[axis],
        })
    }
}

/// How a head's place in the picture and its translation go together.
struct Scene {
    /// Distance of the camera from a head in its middle.
    distance: f32,
    /// Half the side of the picture there.
    half: f32,
}

impl Scene {
    fn of(models: &Models) -> Result<Self> {
        let rays = Camera::at(models, [0.0; 6])?;
        let camera = Pinhole::of(&rays)?;
        let ([x, _], distance) = camera.project([0.0; 3]);
        let ([right, _], _) = camera.project([1.0, 0.0, 0.0]);
        Ok(Self { distance: distance as f32, half: (rays.side() as f64 / 2.0 / (right - x)) as f32 })
    }

    /// The translation (right, up, to the camera) that takes the head by `right` and `up` half sides of the picture, and makes it larger, a
    /// logarithm.
    fn translation(&self, [right, up, larger]: [f32; 3]) -> [f32; 3] {
        let nearer = (-larger).exp();
        let half = self.half * nearer;
        [right * half, up * half, self.distance * (1.0 - nearer)]
    }
}

impl MapBody for Retarget {
    fn chunk(&self, inputs: &Inputs, ctx: &Context<'_>) -> Result<Outputs> {
        let pack = ctx.models.pack()?;
        let layout = pack.coefficients();
        let motion = inputs.tensors("motion")?;
        let size = layout.expressions();
        let expression = motion.get("expression").map_err(|error| error.at_port("motion"))?;
        let &[count, found] = expression.shape() else {
            return Err(NodeError::input(format!(
                "port `motion`: shape {:?}, expected [n,{size}]",
                expression.shape()
            )));
        };
        if found != size {
            return Err(NodeError::input(format!(
                "port `motion`: {found} expression coefficients, expected the pack's {size}"
            )));
        }
        let rows = |name: &str| -> Result<&[f32]> {
            let tensor = motion.get(name).map_err(|error| error.at_port("motion"))?;
            match tensor.shape() {
                [frames, 3] if *frames == count => tensor.as_f32(),
                shape => {
                    Err(NodeError::input(format!("port `motion`: `{name}` {shape:?}, expected [{count},3]")))
                }
            }
        };
        let (rotation, place, rest) = (rows("rotation")?, rows("place")?, rows("rest")?);
        let reference = inputs.tensors("reference")?.get("coefficients")?;
        let &[1, _] = reference.shape() else {
            let shape = reference.shape();
            return Err(NodeError::input(format!("port `reference`: shape {shape:?}, expected [1,K]")));
        };
        let reference = reference.as_f32()?;
        let still = layout.pose_of(reference).map_err(|error| error.at_port("reference"))?;
        let own = layout.expression_of(reference).map_err(|error| error.at_port("reference"))?;
        let channels = self.channels(pack);
        let moves = self.place > 0.0 || self.nearness > 0.0;
        let camera = if moves { Some(Scene::of(ctx.models)?) } else { None };

        let mut poses = Vec::with_capacity(6 * count);
        let mut expressions = Vec::with_capacity(size * count);
        let mut coefficients = Vec::with_capacity(reference.len() * count);
        for (i, driven) in expression.as_f32()?.chunks_exact(size).enumerate() {
            let row = |rows: &'_ [f32]| -> [f32; 3] { std::array::from_fn(|axis| rows[3 * i + axis]) };
            let moved: Vec<f32> = (0..size)
                .map(|c| {
                    let rest = if self.relative { own[c] } else { 0.0 };
                    channels[c].moved(rest, driven[c])
                })
                .collect();
            let mut pose = still;
            pose[..3].copy_from_slice(&self.rotation(&row(rotation), &row(rest), &still[..3]));
            if let Some(camera) = &camera {
                let [right, up, larger] = row(place);
                let limit = |x: f32| x.clamp(-self.farthest, self.farthest);
                let to = camera.translation([
                    limit(self.place * right),
                    limit(self.place * up),
                    limit(self.nearness * larger),
                ]);
                (0..3).for_each(|axis| pose[3 + axis] += to[axis]);
            }
            let mut full = reference.to_vec();
            layout.set_expression(&mut full, &moved)?;
            layout.set_pose(&mut full, &pose)?;
            poses.extend(pose);
            expressions.extend(moved);
            coefficients.extend(full);
        }
        let outputs = [
            ("coefficients", Tensor::f32([count, reference.len()], coefficients)?),
            ("expression", Tensor::f32([count, size], expressions)?),
            ("pose", Tensor::f32([count, 6], poses)?),
        ];
        let named = |(name, tensor): (&str, Tensor)| {
            (name.to_owned(), Value::Tensors(Tensors::new().with(name, tensor)))
        };
        Ok(outputs.map(named).into())
    }
}
