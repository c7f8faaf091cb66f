//! What rays are marched through, and the rays, of the inputs that several operators have.

use ort::Result;

use super::{
    lanes::LANES,
    operator::wrong,
    ports::{Input, Ports},
    scene::{Decoder, HIDDEN, Lattice, Marching, Occupancy, Planes, Scene},
};

/// Places are computed as floats, which count this far.
const COUNTABLE: usize = 1 << 24;

/// The inputs `planes`, `decode1_*` and `decode2_*`.
pub(super) struct Volume<'a> {
    planes: Input<'a>,
    decoder: Decoder,
}

impl<'a> Volume<'a> {
    /// Those of `ports`.
    pub(super) fn new(ports: &Ports<'a>) -> Result<Self> {
        Ok(Self { decoder: ports.decoder()?, planes: ports.input("planes")? })
    }

    /// What is marched through, where nothing is bent, points were taken back to the mean identity already and no cell is known to be
    /// empty. `padded` is room for the planes.
    pub(super) fn scene<'s>(&'s self, marching: Marching, padded: &'s mut Vec<f32>) -> Result<Scene<'s>> {
        let planes = self.planes.planes(self.decoder.channels, padded)?;
        Ok(Scene { marching, planes, decoder: &self.decoder, warp: None, occupancy: None, bends: Vec::new() })
    }
}

impl Ports<'_> {
    /// The decoder of the inputs `decode1_*` and `decode2_*`.
    fn decoder(&self) -> Result<Decoder> {
        let (first, first_bias) = (self.input("decode1_weight")?, self.input("decode1_bias")?);
        let (second, second_bias) = (self.input("decode2_weight")?, self.input("decode2_bias")?);
        let [hidden, channels] = first.sizes()?;
        let fits = (1..=LANES).contains(&channels) && (1..=HIDDEN).contains(&hidden);
        if !fits {
            return Err(wrong(
                self.operator,
                format!(
                    "a decoder of {channels} channels and {hidden} hidden units, at most {LANES} and {HIDDEN} are possible"
                ),
            ));
        }
        first_bias.expect(&[hidden])?;
        second.expect(&[channels + 1, hidden])?;
        second_bias.expect(&[channels + 1])?;
        Ok(Decoder::new(first.floats()?, first_bias.floats()?, second.floats()?, second_bias.floats()?))
    }

    /// The lattice of the input `warp`, over [-`radius`, `radius`]³.
    pub(super) fn warp(&self, radius: f32) -> Result<Option<Lattice>> {
        self.lattice_over("warp", [-radius; 3], [radius; 3])
    }

    /// The lattice of the input `name`, over the box of the input `corners`.
    pub(super) fn lattice(&self, name: &'static str, corners: &'static str) -> Result<Option<Lattice>> {
        let corners = self.input(corners)?;
        corners.expect(&[2, 3])?;
        let (low, high) = corners.floats()?.split_at(3);
        if low.iter().zip(high).any(|(low, high)| low >= high || !low.is_finite() || !high.is_finite()) {
            return Err(corners.wrong(format!("{low:?} to {high:?} is no box")));
        }
        self.lattice_over(name, [low[0], low[1], low[2]], [high[0], high[1], high[2]])
    }

    /// The lattice of the input `name` over the box from `low` to `high`.
    fn lattice_over(&self, name: &'static str, low: [f32; 3], high: [f32; 3]) -> Result<Option<Lattice>> {
        let values = self.input(name)?;
        let [one, axes, layers, rows, columns] = values.sizes()?;
        let size = [columns, rows, layers];
        if one != 1 || axes != 3 || size.iter().any(|&n| n < 2) || size.iter().product::<usize>() > COUNTABLE
        {
            return Err(values.wrong(format!(
                "shape [{one},{axes},{layers},{rows},{columns}], expected [1,3,z,y,x] of 2 nodes or more"
            )));
        }
        Ok(Lattice::new(values.floats()?, size, low, high))
    }

    /// The input `occupancy`, over [-`radius`, `radius`]³.
    pub(super) fn occupancy(&self, radius: f32) -> Result<Option<Occupancy>> {
        let cells = self.input("occupancy")?;
        let [one, single, layers, rows, columns] = cells.sizes()?;
        let size = [columns, rows, layers];
        let count: usize = size.iter().product();
        if one != 1 || single != 1 || count == 0 || count > COUNTABLE {
            return Err(cells
                .wrong(format!("shape [{one},{single},{layers},{rows},{columns}], expected [1,1,z,y,x]")));
        }
        let cells: Vec<bool> = cells.floats()?.iter().map(|&x| x > 0.0).collect();
        Ok((!cells.iter().all(|&cell| cell)).then_some(Occupancy { size, radius, cells }))
    }
}

impl Input<'_> {
    /// The planes [1,3,H,W,C]; with fewer channels than lanes, filled up into `padded`.
    pub(super) fn planes<'p>(&'p self, channels: usize, padded: &'p mut Vec<f32>) -> Result<Planes<'p>> {
        let [one, three, height, width, found] = self.sizes()?;
        if one != 1
            || three != 3
            || height < 2
            || width < 2
            || found != channels
            || height * width > COUNTABLE
        {
            return Err(self.wrong(format!(
                "shape [{one},{three},{height},{width},{found}], expected [1,3,H,W,{channels}]"
            )));
        }
        Ok(Planes { texels: self.filled_up(channels, padded)?, height, width })
    }
}

/// The rays of the inputs `origins` and `directions`, [1,N,3] each.
pub(super) struct Rays<'a> {
    pub(super) origins: &'a [[f32; 3]],
    pub(super) directions: &'a [[f32; 3]],
}

impl<'a> Rays<'a> {
    /// From both inputs.
    pub(super) fn new(origins: &'a Input<'_>, directions: &'a Input<'_>) -> Result<Self> {
        let [one, count, three] = origins.sizes()?;
        if one != 1 || three != 3 {
            return Err(origins.wrong(format!("shape [{one},{count},{three}], expected [1,N,3]")));
        }
        directions.expect(&[1, count, 3])?;
        Ok(Self { origins: origins.floats()?.as_chunks().0, directions: directions.floats()?.as_chunks().0 })
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.origins.len()
    }
}
