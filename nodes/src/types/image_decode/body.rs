use talkgraph_media::{Session, Under};

use crate::{
    artifact::Value,
    body::{Context, Emit, Inputs, ValueBody},
    error::Result,
    media::Told,
};

pub(super) struct Decode {
    pub(super) under: Under,
}

impl ValueBody for Decode {
    fn run(&mut self, inputs: &Inputs, ctx: &Context<'_>, out: &mut dyn Emit) -> Result<()> {
        let path = &inputs.file("file")?.path;
        let decoded = Session::start().told()?.picture(path, self.under, &|| ctx.host.cancelled()).told()?;
        if decoded.lacks_end {
            ctx.host.note("end_marker", "missing".into());
        }
        out.value("image", Value::Image(decoded.picture))
    }
}
