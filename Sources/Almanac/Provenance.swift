import Foundation
import History
import JSON
import Tables

/// What the caller of a commit says about where its rows come from.
package struct Provenance: Sendable {
  /// Files, revisions, or `DATASET@REVISION`.
  package var inputs: [String]
  /// The program that made the rows; Almanac itself when nil.
  package var producer: String?
  package var parameters: [(name: String, value: String)]
  /// Where the code that made the rows may lie when no git repository is around the Almanac repository.
  package var workingFolder: String?

  package init(
    inputs: [String] = [], producer: String? = nil, parameters: [(name: String, value: String)] = [], workingFolder: String? = nil
  ) {
    self.inputs = inputs
    self.producer = producer
    self.parameters = parameters
    self.workingFolder = workingFolder
  }
}

/// The same, looked up once for a command, however often its commit is tried.
struct ResolvedProvenance: Sendable {
  let inputs: [JSON]
  /// Without the code's revision.
  let program: [String: JSON]
  let code: CodeRevisionLookup

  /// Program, its parameters, and the revision of the code around the repository.
  var producer: JSON {
    var object = program
    object["code"] = code.value?.json
    return .object(object)
  }
}

extension Repository {
  /// - Parameter parameters: those of the command itself.
  /// - Throws: `notFound` for an input that is neither a file nor a version; `usage` for one that is both, and for a parameter that
  ///   the command has itself or that is given twice.
  func resolve(_ provenance: Provenance, parameters: [String: JSON]) throws(AlmanacError) -> ResolvedProvenance {
    var all = parameters
    for (name, value) in provenance.parameters {
      guard all.updateValue(.string(value), forKey: name) == nil else {
        let reason = parameters[name] == nil ? "it is given twice" : "the command sets it itself"
        throw AlmanacError(.usage, "Cannot record parameter \(name): \(reason)")
      }
    }
    let code = CodeRevisionLookup(surrounding: [folder] + (provenance.workingFolder.map { [$0] } ?? []))
    let inputs = try provenance.inputs.map { (text) throws(AlmanacError) in try resolveInput(text) }
    return ResolvedProvenance(
      inputs: inputs, program: Self.program(all, named: provenance.producer), code: code)
  }

  /// What a command of Almanac itself records.
  func producer(_ parameters: [String: JSON]) -> JSON {
    ResolvedProvenance(
      inputs: [], program: Self.program(parameters, named: nil), code: CodeRevisionLookup(surrounding: [folder])
    ).producer
  }

  private static func program(_ parameters: [String: JSON], named program: String?) -> [String: JSON] {
    // The version is Almanac's, so under another program's name it says so.
    [
      "program": .string(program ?? "almanac"), "parameters": .object(parameters),
      program == nil ? "version" : "almanac": .string(AlmanacVersion.text),
    ]
  }

  /// A file by name, digest and byte count; a commit by its id; a dataset version by commit, name and root.
  private func resolveInput(_ text: String) throws(AlmanacError) -> JSON {
    let version = try resolveVersion(text)
    guard InputBytes.isRegularFile(text) else {
      if let version { return version }
      throw AlmanacError(
        .notFound, "Cannot record input \(text): it is neither a file nor a branch, tag, commit or DATASET@REVISION of this repository")
    }
    guard version == nil else {
      throw AlmanacError(
        .usage, "Cannot record input \(text): it is a file and a version of this repository", hint: "Name the file as ./\(text).")
    }
    let bytes = try InputBytes.open(text)
    return [
      "file": .string(text.lastPathComponent), "bytes": .int(Int64(bytes.byteCount)),
      "sha256": .string(try InputBytes.digest(of: bytes, from: text)),
    ]
  }

  private func resolveVersion(_ text: String) throws(AlmanacError) -> JSON? {
    if let (dataset, id) = try datasetVersion(text), let reference = try commit(id).datasets[dataset] {
      return ["source": .string(dataset), "commit": .string(id.description), "root": .string(reference.root.description)]
    }
    return try revision(text).map { ["commit": .string($0.description)] }
  }

  /// `DATASET@REVISION`; nil where the text does not name one, as `main@{2026-02-01T00:00:00Z}` does not.
  func datasetVersion(_ text: String) throws(AlmanacError) -> (dataset: String, commit: CommitID)? {
    guard let at = text.firstIndex(of: "@"), at != text.startIndex else { return nil }
    let rest = text[text.index(after: at)...]
    guard !rest.isEmpty, rest.first != "{", let id = try revision(String(rest)) else { return nil }
    let name = String(text[..<at])
    return try commit(id).datasets[name] == nil ? nil : (name, id)
  }

  /// The commit that a text names, nil where it names none.
  /// - Throws: `io` for a damaged repository.
  func revision(_ text: String) throws(AlmanacError) -> CommitID? {
    do {
      return try resolve(text)
    } catch {
      guard error.kind == .io else { return nil }
      throw error
    }
  }
}
