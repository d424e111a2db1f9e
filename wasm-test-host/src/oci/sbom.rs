//! What a filter is made of, as CycloneDX 1.5 JSON: from `cargo metadata` with the versions of Cargo.lock, without a time or a
//! serial number, so that the same source gives the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId, TargetKind};
use cyclonedx_bom::models::component::{Classification, Scope};
use cyclonedx_bom::models::dependency::{Dependencies, Dependency};
use cyclonedx_bom::models::hash::{Hash, HashAlgorithm, HashValue, Hashes};
use cyclonedx_bom::models::license::{LicenseChoice, Licenses};
use cyclonedx_bom::models::tool::{Tool, Tools};
use cyclonedx_bom::prelude::{
    Bom, Component, Components, NormalizedString, Purl, SpdxExpression, SpecVersion, Validate,
};

/// The target that filters are built for.
const TARGET: &str = "wasm32-wasip1";

/// Why there is no SBOM.
#[derive(Debug, thiserror::Error)]
pub enum SbomError {
    /// `cargo metadata` failed.
    #[error("cargo metadata: {0}")]
    Metadata(#[from] cargo_metadata::Error),
    /// No such crate in the workspace.
    #[error("no crate `{0}` in the workspace")]
    NoCrate(String),
    /// The result is none that CycloneDX allows.
    #[error("the SBOM is not valid: {0}")]
    Invalid(String),
}

/// The SBOM of `package`, which is built into `wasm`: every crate that is linked into it (`required`), and every one that only
/// runs while it is built (`excluded`: proc macros and build scripts).
///
/// # Errors
/// The manifest cannot be read, has no such crate, or Cargo.lock is out of date.
pub fn sbom(manifest: &Path, package: &str, wasm: Option<&[u8]>) -> Result<Vec<u8>, SbomError> {
    let metadata = MetadataCommand::new()
        .manifest_path(manifest)
        .other_options([
            "--locked".to_owned(),
            "--filter-platform".to_owned(),
            TARGET.to_owned(),
        ])
        .exec()?;
    let root = metadata
        .workspace_packages()
        .into_iter()
        .find(|candidate| candidate.name.as_str() == package)
        .ok_or_else(|| SbomError::NoCrate(package.to_owned()))?;
    let graph = Graph::from(&metadata, &root.id);
    let mut component = graph.component(root, Classification::Application);
    component.hashes = wasm.map(|wasm| {
        let hex = super::digest(wasm);
        Hashes(vec![Hash {
            alg: HashAlgorithm::SHA_256,
            content: HashValue(hex.trim_start_matches("sha256:").to_owned()),
        }])
    });
    let bom = Bom {
        metadata: Some(cyclonedx_bom::prelude::Metadata {
            component: Some(component),
            tools: Some(Tools::List(vec![Tool {
                vendor: None,
                name: Some(NormalizedString::new("backstop")),
                version: Some(NormalizedString::new(env!("CARGO_PKG_VERSION"))),
                hashes: None,
                external_references: None,
            }])),
            ..cyclonedx_bom::prelude::Metadata::default()
        }),
        components: Some(Components(graph.components(&root.id))),
        dependencies: Some(Dependencies(graph.dependencies())),
        serial_number: None,
        ..Bom::default()
    };
    let result = bom.validate_version(SpecVersion::V1_5);
    if result.has_errors() {
        return Err(SbomError::Invalid(format!("{result:?}")));
    }
    let mut json = Vec::new();
    bom.output_as_json(&mut json, SpecVersion::V1_5)
        .map_err(|error| SbomError::Invalid(error.to_string()))?;
    Ok(json)
}

/// The crates that a filter is built from, by their ids, and what each asks for.
struct Graph<'a> {
    packages: BTreeMap<&'a PackageId, &'a Package>,
    edges: BTreeMap<&'a PackageId, BTreeSet<&'a PackageId>>,
    linked: BTreeSet<&'a PackageId>,
}

impl<'a> Graph<'a> {
    fn from(metadata: &'a Metadata, root: &'a PackageId) -> Self {
        let all: BTreeMap<&PackageId, &Package> =
            metadata.packages.iter().map(|p| (&p.id, p)).collect();
        let nodes: BTreeMap<&PackageId, &cargo_metadata::Node> = metadata
            .resolve
            .iter()
            .flat_map(|resolve| resolve.nodes.iter().map(|node| (&node.id, node)))
            .collect();
        let is_proc_macro = |id: &PackageId| {
            all.get(id).is_some_and(|package| {
                package
                    .targets
                    .iter()
                    .any(|target| target.kind.contains(&TargetKind::ProcMacro))
            })
        };
        let mut graph = Self {
            packages: BTreeMap::new(),
            edges: BTreeMap::new(),
            linked: BTreeSet::new(),
        };
        // Linked crates first, then the rest: a crate may be both, and is then linked.
        let mut queue = vec![(root, true)];
        let mut visited = BTreeSet::new();
        while let Some((id, linked)) = queue.pop() {
            if !visited.insert((id, linked)) {
                continue;
            }
            if linked {
                graph.linked.insert(id);
            }
            if let Some(package) = all.get(id) {
                graph.packages.insert(id, package);
            }
            let edges = graph.edges.entry(id).or_default();
            for dep in nodes.get(id).into_iter().flat_map(|node| &node.deps) {
                let kinds = dep.dep_kinds.iter().map(|info| info.kind);
                let kinds: Vec<DependencyKind> = kinds.collect();
                let is_normal = kinds.contains(&DependencyKind::Normal);
                if !is_normal && !kinds.contains(&DependencyKind::Build) {
                    continue;
                }
                edges.insert(&dep.pkg);
                queue.push((&dep.pkg, linked && is_normal && !is_proc_macro(&dep.pkg)));
            }
        }
        graph
    }

    fn component(&self, package: &Package, kind: Classification) -> Component {
        let (name, version) = (package.name.as_str(), package.version.to_string());
        let purl = Purl::new("cargo", name, &version).ok();
        let mut component = Component::new(kind, name, &version, Some(reference(package)));
        component.purl = purl;
        component.licenses = package.license.as_ref().map(|license| {
            let choice = match SpdxExpression::parse_lax(license.clone()) {
                Ok(expression) => LicenseChoice::Expression(expression),
                Err(_) => LicenseChoice::license(license),
            };
            Licenses(vec![choice])
        });
        component
    }

    fn components(&self, root: &PackageId) -> Vec<Component> {
        let others = self.packages.iter().filter(|(id, _)| **id != root);
        let mut components: Vec<Component> = others
            .map(|(id, package)| {
                let mut component = self.component(package, Classification::Library);
                component.scope = Some(if self.linked.contains(id) {
                    Scope::Required
                } else {
                    Scope::Excluded
                });
                component
            })
            .collect();
        components.sort_by(|a, b| a.bom_ref.cmp(&b.bom_ref));
        components
    }

    fn dependencies(&self) -> Vec<Dependency> {
        let named = |id: &&PackageId| self.packages.get(*id).map(|package| reference(package));
        let mut all: Vec<Dependency> = self
            .edges
            .iter()
            .filter_map(|(id, on)| {
                let mut dependencies: Vec<String> = on.iter().filter_map(named).collect();
                dependencies.sort();
                Some(Dependency {
                    dependency_ref: named(id)?,
                    dependencies,
                })
            })
            .collect();
        all.sort_by(|a, b| a.dependency_ref.cmp(&b.dependency_ref));
        all
    }
}

/// Unique in one lock file, and without the folder that a path dependency's id has in it.
fn reference(package: &Package) -> String {
    format!("pkg:cargo/{}@{}", package.name, package.version)
}
