//! Debian packages that a Python distribution needs beside its wheel.
//!
//! Input: the distributions of a production install. Output: packages to compile with and packages to run with. The one
//! idea: a wheel brings its libraries along, so compilers are only installed where no wheel fits.

use std::collections::BTreeSet;

/// A distribution: its normalised name, what a build from source needs, what it needs when it runs, and whether there
/// are Linux wheels of it at all.
type Row = (&'static str, &'static [&'static str], &'static [&'static str], bool);

const TABLE: &[Row] = &[
    ("cairocffi", &[], &["libcairo2"], true),
    ("cairosvg", &[], &["libcairo2"], true),
    ("cffi", &["gcc", "libc6-dev", "libffi-dev"], &[], true),
    ("confluent-kafka", &["gcc", "libc6-dev", "librdkafka-dev"], &[], true),
    ("cryptography", &["cargo", "gcc", "libc6-dev", "libffi-dev", "libssl-dev", "pkg-config"], &[], true),
    ("dbus-python", &["gcc", "libc6-dev", "libdbus-1-dev", "libglib2.0-dev", "pkg-config"], &["libdbus-1-3"], false),
    ("gdal", &["g++", "libgdal-dev"], &["gdal-bin"], false),
    ("graphviz", &[], &["graphviz"], true),
    ("greenlet", &["g++"], &[], true),
    ("h5py", &["gcc", "libc6-dev", "libhdf5-dev", "pkg-config"], &[], true),
    ("lightgbm", &[], &["libgomp1"], true),
    ("lxml", &["gcc", "libc6-dev", "libxml2-dev", "libxslt1-dev"], &[], true),
    ("moviepy", &[], &["ffmpeg"], true),
    ("mysqlclient", &["default-libmysqlclient-dev", "gcc", "libc6-dev", "pkg-config"], &["libmariadb3"], false),
    ("netifaces", &["gcc", "libc6-dev"], &[], false),
    ("numpy", &["g++", "gfortran", "libopenblas-dev"], &[], true),
    ("ocrmypdf", &[], &["ghostscript", "tesseract-ocr"], true),
    ("openai-whisper", &[], &["ffmpeg"], true),
    ("opencv-contrib-python", &[], &["libgl1", "libglib2.0-0"], true),
    ("opencv-python", &[], &["libgl1", "libglib2.0-0"], true),
    ("pdf2image", &[], &["poppler-utils"], true),
    ("pillow", &["gcc", "libc6-dev", "libfreetype-dev", "libjpeg-dev", "zlib1g-dev"], &[], true),
    ("psutil", &["gcc", "libc6-dev"], &[], true),
    ("psycopg-c", &["gcc", "libc6-dev", "libpq-dev"], &["libpq5"], false),
    ("psycopg2", &["gcc", "libc6-dev", "libpq-dev"], &["libpq5"], false),
    ("psycopg2cffi", &["gcc", "libc6-dev", "libpq-dev"], &["libpq5"], false),
    ("pyaudio", &["gcc", "libc6-dev", "portaudio19-dev"], &["libportaudio2"], false),
    ("pycairo", &["gcc", "libc6-dev", "libcairo2-dev", "pkg-config"], &["libcairo2"], false),
    ("pycurl", &["gcc", "libc6-dev", "libcurl4-openssl-dev", "libssl-dev"], &["libcurl4"], true),
    ("pydub", &[], &["ffmpeg"], true),
    ("pyenchant", &[], &["libenchant-2-2"], true),
    (
        "pygobject",
        &["gcc", "libc6-dev", "libcairo2-dev", "libgirepository-2.0-dev", "pkg-config"],
        &["libcairo2", "libgirepository-2.0-0"],
        false,
    ),
    ("pygraphviz", &["gcc", "libc6-dev", "libgraphviz-dev", "pkg-config"], &["graphviz"], false),
    ("pylibdmtx", &[], &["libdmtx0b"], true),
    ("pylibmc", &["gcc", "libc6-dev", "libmemcached-dev", "zlib1g-dev"], &["libmemcached11"], true),
    ("pymssql", &["freetds-dev", "gcc", "libc6-dev"], &[], true),
    ("pyodbc", &["g++", "unixodbc-dev"], &["unixodbc"], true),
    ("pypandoc", &[], &["pandoc"], true),
    ("pyscard", &["gcc", "libc6-dev", "libpcsclite-dev", "swig"], &["libpcsclite1"], false),
    ("pysmbclient", &["gcc", "libc6-dev", "libsmbclient-dev"], &["libsmbclient"], false),
    ("pytesseract", &[], &["tesseract-ocr"], true),
    ("python-ldap", &["gcc", "libc6-dev", "libldap-dev", "libsasl2-dev"], &["libldap2", "libsasl2-2"], false),
    ("python-magic", &[], &["libmagic1"], true),
    ("python-poppler", &["g++", "libpoppler-cpp-dev", "pkg-config"], &["libpoppler-cpp2"], false),
    ("pyvips", &["gcc", "libc6-dev", "libvips-dev", "pkg-config"], &["libvips42"], false),
    ("pyzbar", &[], &["libzbar0"], true),
    ("rcssmin", &["gcc", "libc6-dev"], &[], true),
    ("rjsmin", &["gcc", "libc6-dev"], &[], true),
    ("scikit-learn", &["g++"], &["libgomp1"], true),
    ("sounddevice", &[], &["libportaudio2"], true),
    ("uwsgi", &["gcc", "libc6-dev", "libpcre2-dev"], &["libpcre2-8-0", "media-types"], false),
    ("weasyprint", &[], &["fonts-dejavu-core", "libharfbuzz-subset0", "libpango-1.0-0", "libpangoft2-1.0-0"], true),
    ("xgboost", &[], &["libgomp1"], true),
    (
        "xmlsec",
        &["gcc", "libc6-dev", "libxml2-dev", "libxmlsec1-dev", "pkg-config"],
        &["libxml2", "libxmlsec1-openssl"],
        false,
    ),
    ("yt-dlp", &[], &["ffmpeg"], true),
];

/// What one distribution needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Debian packages for the stage that installs it.
    pub(crate) build: BTreeSet<String>,
    /// Debian packages for the final image.
    pub(crate) run: BTreeSet<String>,
}

/// What a distribution needs. `wheel` says whether the lock lists a wheel that fits, where a lock says it.
pub(crate) fn needs(name: &str, wheel: Option<bool>) -> Option<Needs> {
    let Ok(row) = TABLE.binary_search_by_key(&name, |(known, ..)| known) else {
        // An archive of sources without a wheel may hold anything; most of those that hold C need no more than this.
        return None;
    };
    let (_, build, run, wheels) = TABLE.get(row)?;
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    // A wheel of something that would have to be compiled holds the libraries that it was compiled with.
    Some(match wheel.unwrap_or(*wheels) && !build.is_empty() {
        true => Needs::default(),
        false => Needs { build: own(build), run: own(run) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compilers_come_only_where_no_wheel_fits() {
        assert!(TABLE.is_sorted_by_key(|(name, ..)| name));
        for (_, build, run, _) in TABLE {
            assert!(build.is_sorted() && run.is_sorted());
        }
        assert_eq!(needs("psycopg2", None).unwrap().build.len(), 3);
        assert_eq!(needs("pycurl", None), Some(Needs::default()));
        assert!(needs("lxml", Some(false)).unwrap().build.contains("libxml2-dev"));
        assert_eq!(needs("python-magic", Some(true)).unwrap().run, ["libmagic1".to_owned()].into());
        assert_eq!(needs("flask", None), None);
    }
}
