//! The scanner: takes a value through its decodings and shows each form to the detectors that its features call for.

use std::mem;
use std::num::NonZeroU64;
use std::ops::Range;

use backstop_http::host::HostPattern;
use backstop_http::scan::find;
use backstop_http::{Kind, Place};

use crate::applies::Field;
use crate::chain::{Chain, Decoding};
use crate::changes::{self, Piece};
use crate::detectors::{ALONE, DETECTORS, Detector, bot, xss};
use crate::finding::Findings;
use crate::input::{Hit, Hits, Input};
use crate::prefilter::{self, Features};
use crate::{Category, CategorySet, Level, Severity, Work, applies, decode, shape};

/// What is looked for in the text of markup once its character references are resolved.
const SHOWN: CategorySet = CategorySet::ALL
    .without(Category::Xss)
    .without(Category::SqlInjection);

/// What a scanner looks for.
#[derive(Clone, Debug)]
pub struct ScanOptions {
    /// The sensitivity.
    pub level: Level,
    /// The categories that are on.
    pub categories: CategorySet,
    /// Whether ordinary HTTP libraries (curl, python-requests, headless browsers) count as bots.
    pub http_libraries: bool,
    /// Hosts that a value may name: a finding of SSRF about one of these is dropped.
    pub allowed_hosts: Vec<HostPattern>,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self {
            level: Level::One,
            categories: CategorySet::ALL,
            http_libraries: false,
            allowed_hosts: Vec::new(),
        }
    }
}

/// What a value costs beside its bytes, in steps of [`Work`].
const STEPS_OF_A_VALUE: usize = 80;
/// What the prefilter's sweep costs per byte.
const STEPS_OF_A_SWEEP: usize = 2;
/// What another form of a value costs per byte: trying the decodings, writing it, sweeping it.
const STEPS_OF_A_FORM: usize = 4;
/// What showing a form to a detector costs beside its bytes.
const STEPS_OF_A_DETECTOR: usize = 80;

/// Inspects values one after another. Keeps its buffers, so that a clean request allocates nothing.
#[derive(Debug)]
pub struct Scanner {
    options: ScanOptions,
    hits: Hits,
    /// A value without its percent-encoding.
    form: Vec<u8>,
    /// Later forms, in turn.
    decoded: Vec<u8>,
    spare: Vec<u8>,
    /// What changed from one form to the next.
    pieces: Vec<Piece>,
}

/// What a glance at a value showed: something. One number, so that it costs nothing to hand on.
#[derive(Clone, Copy, Debug)]
pub struct Glance(NonZeroU64);

impl Glance {
    /// Base64 may show no features: then one decoding is tried in vain.
    fn of(features: Features) -> Option<Self> {
        NonZeroU64::new(features.bits())
            .or(NonZeroU64::new(Features::TRIGGERS.bits()))
            .map(Self)
    }

    const fn features(self) -> Features {
        Features::of_bits(self.0.get())
    }
}

/// A value on its way through the decodings.
#[derive(Clone, Copy)]
struct Run<'a> {
    place: Place<'a>,
    /// The categories that look at it.
    categories: CategorySet,
    /// Whether the value is percent-encoded with `+` for a space.
    form_encoded: bool,
    /// Findings from this position on are of this value.
    since: usize,
}

impl Run<'_> {
    fn of(self, categories: CategorySet) -> Self {
        Self { categories, ..self }
    }
}

impl Run<'_> {
    /// What is escaped in the text of markup is shown, not run: once `step` resolves the character references of `bytes`,
    /// some categories are no longer looked for. Attributes were read through their references.
    fn shown(&mut self, step: Option<Decoding>, bytes: &[u8]) {
        if step == Some(Decoding::Entity) && xss::is_markup(bytes) {
            self.categories = self.categories.and(SHOWN);
        }
    }
}

impl Scanner {
    /// A scanner with `options`.
    pub fn new(options: ScanOptions) -> Self {
        let hits = Hits::new(options.level);
        Self {
            options,
            hits,
            form: Vec::new(),
            decoded: Vec::new(),
            spare: Vec::new(),
            pieces: Vec::new(),
        }
    }

    /// Allows this much work from now on: what is left of it when a request pauses is what its next phase gets. Without a
    /// call there is no bound.
    pub const fn allow(&mut self, work: Work) {
        self.hits.allow(work);
    }

    /// The work that is left. Once it is spent, nothing more is looked at.
    pub const fn work(&self) -> Work {
        self.hits.work()
    }

    /// Takes `steps` of the work for what is done beside the detectors; answers whether there is any left.
    pub fn spend(&mut self, steps: usize) -> bool {
        self.hits.spend(steps)
    }

    /// What this scanner looks for.
    pub const fn options(&self) -> &ScanOptions {
        &self.options
    }

    /// Whether a value needs no look: a name as programs give them, of a place whose names may be anything.
    #[inline]
    pub fn passes(place: Place<'_>, value: &[u8]) -> bool {
        applies::is_plain_name(place.kind, value)
    }

    /// Looks at a value of a body from afar: `None` if it needs no closer look, as nearly all. No detector and no decoding has
    /// anything to begin with. It costs so little that it is not charged.
    pub fn glance(value: &[u8]) -> Option<Glance> {
        let features = if shape::is_number_like(value) {
            Features::default()
        } else {
            prefilter::features(value)
        };
        if is_idle(features) && !decode::is_base64(value) {
            return None;
        }
        Glance::of(features)
    }

    /// Inspects one value and adds what it finds to `out`. Path, query, cookie and header values come as they are on the
    /// wire; a body's values as its reader gives them, form fields decoded once, JSON and XML texts unescaped.
    pub fn inspect(&mut self, place: Place<'_>, value: &[u8], out: &mut Findings) {
        self.inspect_glanced(place, value, None, out);
    }

    /// The same, knowing what a glance at this very value showed.
    pub fn inspect_glanced(
        &mut self,
        place: Place<'_>,
        value: &[u8],
        glance: Option<Glance>,
        out: &mut Findings,
    ) {
        let since = out.len();
        let run = Run {
            place,
            categories: CategorySet::NONE,
            form_encoded: is_form_encoded(place.kind),
            since: out.len(),
        };
        match place.kind {
            Kind::Path => self.path(run, value, out),
            Kind::Header => self.header(run, value, out),
            // Fields of bodies come decoded, and nearly all show nothing at once.
            Kind::Json | Kind::Form | Kind::Multipart => {
                if self.sweeps(value) {
                    let features =
                        glance.map_or_else(|| prefilter::features(value), Glance::features);
                    if !features.is_empty() || decode::is_base64(value) {
                        let categories = applies::categories(place, value);
                        self.seen(run.of(categories), value, features, out);
                    }
                }
            }
            _ => {
                let categories = applies::categories(place, value);
                if !categories.is_empty() {
                    self.run(run.of(categories), value, out);
                }
            }
        }
        if out.len() > since + 1 {
            out.order_from(since);
        }
    }

    fn header(&mut self, run: Run<'_>, value: &[u8], out: &mut Findings) {
        let name = run.place.name;
        let field = Field::of(name);
        let categories = field.categories(value);
        let all = run.of(categories);
        match field {
            Field::Referer => self.referer(all, value, out),
            Field::Credentials => {
                self.run(all, value, out);
                if let Some((b"Basic" | b"basic", credentials)) = split_once(value, b' ') {
                    self.run(run.of(applies::OPAQUE), credentials, out);
                }
            }
            _ if categories.is_empty() => {}
            _ => self.run(all, value, out),
        }
        if self.options.categories.contains(Category::BotScanner)
            && let Some(rule) = bot::header_name(name)
        {
            out.push(rule, run.place, Chain::new(), value, 0..value.len());
        }
    }

    /// The whole path for what reads paths, and for the others what is left after its plain leading segments.
    fn path(&mut self, run: Run<'_>, path: &[u8], out: &mut Findings) {
        self.run(run.of(applies::PATH), path, out);
        if let Some(tail) = applies::odd_tail(path) {
            let found = out.len();
            self.run(run.of(applies::PATH_TAIL), tail, out);
            if out.len() > found {
                return;
            }
            // A slash divides in SQL: a segment with another behind it is read by itself, too.
            for segment in applies::odd_segments(tail) {
                self.run(run.of(applies::PATH_SEGMENT), segment, out);
            }
        }
    }

    /// A referer is a page of this site as a rule: its path, then its query's values, are read like the request's own.
    fn referer(&mut self, mut run: Run<'_>, value: &[u8], out: &mut Findings) {
        let Some((_, behind_scheme)) = split_once(value, b':').filter(|(scheme, rest)| {
            scheme.iter().all(u8::is_ascii_alphabetic) && rest.starts_with(b"//")
        }) else {
            return self.run(run, value, out);
        };
        let (page, query) = split_once(behind_scheme, b'?').unwrap_or((behind_scheme, b""));
        self.run(run, page, out);
        run.form_encoded = true;
        for pair in query.split(|byte| matches!(byte, b'&' | b'#')) {
            let value = split_once(pair, b'=').map_or(pair, |(_, value)| value);
            self.run(run, value, out);
        }
    }

    fn run(&mut self, mut run: Run<'_>, value: &[u8], out: &mut Findings) {
        run.categories = run.categories.and(self.options.categories);
        if run.categories.is_empty() || value.is_empty() || !self.sweeps(value) {
            return;
        }
        if run.form_encoded && decode::is_form_encoded(value) {
            let mut form = mem::take(&mut self.form);
            if decode::form(value, &mut form) {
                let mut chain = Chain::new();
                chain.push(Decoding::Percent);
                let features = prefilter::features(&form);
                self.forms(&mut run, chain, &form, features, out);
                self.form = form;
                return;
            }
            self.form = form;
        }
        let features = prefilter::features(value);
        self.seen(run, value, features, out);
    }

    /// Takes the work of a sweep over `value`; answers whether there was any left.
    #[inline]
    fn sweeps(&mut self, value: &[u8]) -> bool {
        self.hits
            .spend(STEPS_OF_A_VALUE + value.len() * STEPS_OF_A_SWEEP)
    }

    /// A value as it came, with what the prefilter saw in it.
    fn seen(&mut self, mut run: Run<'_>, value: &[u8], features: Features, out: &mut Findings) {
        run.categories = run.categories.and(self.options.categories);
        if run.categories.is_empty() {
            return;
        }
        // Nearly every value ends here.
        let idle = is_idle(features)
            || features.triggers() == 0 && wanted(features, run.categories).next().is_none();
        if idle && !decode::is_base64(value) {
            return;
        }
        self.forms(&mut run, Chain::new(), value, features, out);
    }

    /// Every form of a value: the first one with its features, then what each decoding makes of it.
    fn forms(
        &mut self,
        run: &mut Run<'_>,
        mut chain: Chain,
        first: &[u8],
        features: Features,
        out: &mut Findings,
    ) {
        self.detect(run, chain, first, features, out);
        if !self.hits.spend(first.len() * STEPS_OF_A_FORM) {
            return;
        }
        let mut form = mem::take(&mut self.decoded);
        let mut spare = mem::take(&mut self.spare);
        let mut step = decode::step(first, features.triggers(), &mut form);
        run.shown(step, first);
        let mut before = first;
        while let Some(decoding) = step
            && chain.push(decoding)
            && self.hits.spend(form.len() * STEPS_OF_A_FORM)
        {
            let features = prefilter::features(&form);
            self.pieces.clear();
            if form.len() >= changes::LONG {
                self.pieces.extend(changes::pieces(before, &form));
            }
            step = decode::step(&form, features.triggers(), &mut spare);
            if step.is_none() || chain.is_full() || form.len() < changes::LONG {
                self.detect(run, chain, &form, features, out);
            } else {
                self.detect_changes(run, chain, &form, out);
            }
            run.shown(step, &form);
            mem::swap(&mut form, &mut spare);
            before = &spare;
        }
        self.decoded = form;
        self.spare = spare;
    }

    /// Shows one form to the detectors that want it.
    fn detect(
        &mut self,
        run: &mut Run<'_>,
        chain: Chain,
        bytes: &[u8],
        features: Features,
        out: &mut Findings,
    ) {
        self.detect_new(run, chain, bytes, 0..bytes.len(), features, out);
    }

    /// Shows what is new in a form that is neither the first nor the last.
    fn detect_changes(&mut self, run: &mut Run<'_>, chain: Chain, form: &[u8], out: &mut Findings) {
        let pieces = mem::take(&mut self.pieces);
        for piece in &pieces {
            let bytes = form.get(piece.range.clone()).unwrap_or_default();
            if !self.sweeps(bytes) {
                break;
            }
            let features = prefilter::features(bytes);
            self.detect_new(run, chain, bytes, piece.new.clone(), features, out);
        }
        self.pieces = pieces;
    }

    /// Shows bytes to the detectors that want them, for what they find in the `new` ones.
    fn detect_new(
        &mut self,
        run: &mut Run<'_>,
        chain: Chain,
        bytes: &[u8],
        new: Range<usize>,
        features: Features,
        out: &mut Findings,
    ) {
        for detector in wanted(features, run.categories) {
            if !self
                .hits
                .spend(STEPS_OF_A_DETECTOR + bytes.len() * detector.steps)
            {
                return;
            }
            let input = Input {
                bytes,
                place: run.place,
                level: self.options.level,
                features: features.of(detector.category),
            };
            self.hits.clear();
            (detector.detect)(&input, &mut self.hits);
            self.report(run, chain, detector, bytes, &new, out);
        }
    }

    fn report(
        &self,
        run: &mut Run<'_>,
        chain: Chain,
        detector: &Detector,
        bytes: &[u8],
        new: &Range<usize>,
        out: &mut Findings,
    ) {
        let is_new = |hit: &&Hit| hit.span.start <= new.end && new.start <= hit.span.end;
        for hit in self.hits.as_slice().iter().filter(is_new) {
            // The same rule on a later form of the same value is the same attack.
            if out.has_since(run.since, hit.rule) || self.is_allowed(hit, bytes) {
                continue;
            }
            out.push(hit.rule, run.place, chain, bytes, hit.span.clone());
            if hit.rule.severity == Severity::Critical {
                run.categories = run.categories.without(detector.category);
            }
        }
    }
}

impl Scanner {
    /// Whether the options say that this is no finding.
    fn is_allowed(&self, hit: &Hit, bytes: &[u8]) -> bool {
        if hit.rule.category == Category::Ssrf {
            return only_host(bytes, &hit.span).is_some_and(|host| {
                self.options
                    .allowed_hosts
                    .iter()
                    .any(|allowed| allowed.matches(host))
            });
        }
        *hit.rule == bot::rules::HTTP_LIBRARY && !self.options.http_libraries
    }
}

/// What SSRF matched, if it is the host of the value's only URL whoever reads it: right behind `//`, and up to the port, the
/// path or the end. `http://allowed@other/` and a second URL behind the first are not let pass by the first.
fn only_host<'a>(bytes: &'a [u8], span: &Range<usize>) -> Option<&'a [u8]> {
    let before = bytes.get(..span.start)?;
    let after = bytes.get(span.end..)?;
    let behind_port = after.strip_prefix(b":").map_or(after, |port| {
        let digits = port.iter().take_while(|byte| byte.is_ascii_digit()).count();
        port.get(digits..).unwrap_or_default()
    });
    let ends = matches!(behind_port.first(), None | Some(b'/' | b'?' | b'#'));
    let another = after.windows(2).any(|pair| pair == b"//");
    (before.ends_with(b"//") && ends && !another)
        .then(|| bytes.get(span.clone()))
        .flatten()
}

/// The detectors of `categories` that want to look at a form with these features.
fn wanted(features: Features, categories: CategorySet) -> impl Iterator<Item = &'static Detector> {
    features
        .categories()
        .and(categories)
        .iter()
        .filter_map(|category| DETECTORS.get(category as usize))
        .filter(move |detector| (detector.wants)(features.of(detector.category)))
}

/// Whether a form with these features is to be shown to no detector and to no decoding but base64.
fn is_idle(features: Features) -> bool {
    features.is_empty()
        || !features.has_any(ALONE) && wanted(features, CategorySet::ALL).next().is_none()
}

/// Whether values of this kind come percent-encoded with `+` for a space. Form fields are decoded by the body's reader.
const fn is_form_encoded(kind: Kind) -> bool {
    matches!(kind, Kind::Query | Kind::QueryName)
}

/// What stands before and behind the first `separator`.
fn split_once(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let (before, rest) = bytes.split_at_checked(find(separator, bytes)?)?;
    Some((before, rest.split_first()?.1))
}

/// Every rule of every category.
pub fn rules() -> impl Iterator<Item = &'static crate::Rule> {
    DETECTORS.iter().flat_map(|detector| detector.rules)
}

/// The rule called `name`.
pub fn rule(name: &str) -> Option<&'static crate::Rule> {
    rules().find(|rule| rule.name == name)
}

/// The rules of `category`.
pub fn rules_of(category: Category) -> &'static [crate::Rule] {
    DETECTORS
        .iter()
        .find(|detector| detector.category == category)
        .map_or(&[], |detector| detector.rules)
}
