import Columns
import Crypto
import History
import JSON
import Tables

/// Something that rows were made from.
package enum LineageInput: Hashable, Sendable {
  /// A file; `dataset` names where its rows went, nil when it was only declared (`commit --input`).
  case file(name: String, sha256: String, byteCount: Int64?, rowCount: Int64?, dataset: String?)
  case version(dataset: String, root: String?, commit: CommitID)
  case commit(CommitID)
  /// The recipe of a saved training set, by its id, and the SHA-256 of the definition of its service.
  case recipe(id: String, service: String, definition: String)
}

/// A version of a dataset that a commit made.
package struct LineageOutput: Hashable, Sendable {
  package let dataset: String
  package let root: String
  package let rowCount: Int
}

/// One commit as a step from inputs to outputs: what OpenLineage calls a run.
package struct LineageRun: Sendable {
  package let id: CommitID
  package let commit: Commit
  /// 1 for what was asked about, more for what lies behind it.
  package let depth: Int
  package let inputs: [LineageInput]
  package let outputs: [LineageOutput]

  /// The program, or for Almanac itself the command.
  package var jobName: String {
    let program = commit.producer["program"]?.stringValue ?? "almanac"
    let parameters = commit.producer["parameters"]
    if let service = parameters?["service"]?.stringValue { return "trainingset.\(service)" }
    guard program == "almanac", let command = parameters?["command"]?.stringValue else { return program }
    return "almanac.\(command)"
  }
}

extension LineageInput {
  /// What an entry of a commit's `inputs` names; the manifest of a saved training set names several things.
  static func reading(_ json: JSON) -> [LineageInput] {
    if let file = json["file"]?.stringValue {
      return [
        .file(
          name: file, sha256: json["sha256"]?.stringValue ?? "", byteCount: json["bytes"]?.intValue, rowCount: json["rows"]?.intValue,
          dataset: json["dataset"]?.stringValue)
      ]
    }
    guard let id = json["commit"]?.stringValue.flatMap({ CommitID(hex: $0) }) else { return [] }
    if let manifest = json["manifest"] { return reading(manifest: manifest, at: id) }
    guard let source = json["source"]?.stringValue else { return [.commit(id)] }
    return [.version(dataset: source, root: json["root"]?.stringValue, commit: id)]
  }

  private static func reading(manifest: JSON, at id: CommitID) -> [LineageInput] {
    var result: [LineageInput] = []
    if let recipe = manifest["recipe"]?.stringValue {
      let definition = manifest["inputs"]?["service"] ?? .null
      let services = definition["feature_services"]?.arrayValue ?? []
      result.append(
        .recipe(
          id: recipe, service: services.first?["name"]?.stringValue ?? "",
          definition: SHA256.hash(data: definition.canonicalBytes).hex))
    }
    for (dataset, root) in (manifest["inputs"]?["datasets"]?.objectValue ?? [:]).sorted(by: { $0.key < $1.key }) {
      // A dataset without rows at that commit has no root.
      if let root = root.stringValue { result.append(.version(dataset: dataset, root: root, commit: id)) }
    }
    // Where the label rows came from.
    if let file = manifest["labels"]?["file"]?.stringValue {
      let rows = manifest["labels"]?["rows"]?.intValue
      let name = file == "-" ? "standard input" : file.lastPathComponent
      result.append(.file(name: name, sha256: "", byteCount: nil, rowCount: rows, dataset: nil))
    } else if let dataset = manifest["labels"]?["entities_from"]?.stringValue, let root = manifest["labels"]?["root"]?.stringValue {
      let version = LineageInput.version(dataset: dataset, root: root, commit: id)
      if !result.contains(version) { result.append(version) }
    }
    return result
  }

  /// The dataset whose rows these are; nil for what a commit as a whole was made from.
  var target: String? { if case .file(_, _, _, _, let dataset) = self { dataset } else { nil } }
}
