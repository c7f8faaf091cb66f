//! Links libheif.

fn main() {
    let found = pkg_config::Config::new().atleast_version("1.15").probe("libheif");
    if let Err(error) = found {
        println!(
            "cargo:warning=libheif is needed: install Debian's libheif-dev, as tools/setup/setup.sh does"
        );
        panic!("{error}");
    }
}
