import Columns
import History
import JSON

extension LineageReport {
  /// `{"subject", "direction", "runs": […]}`; a run's members have OpenLineage's names where it has one for the thing.
  package var json: JSON {
    let about: JSON =
      switch subject {
      case .dataset(let name, let root, let commit):
        ["dataset": .string(name), "root": root.map { .string($0) } ?? .null, "commit": .string(commit.description)]
      case .commit(let id): ["commit": .string(id.description)]
      case .service(let name): ["service": .string(name)]
      }
    return ["subject": about, "direction": .string(direction.rawValue), "runs": .array(runs.map(\.json))]
  }

  /// The same as OpenLineage run events (https://openlineage.io/spec/2-0-2/OpenLineage.json), one for each commit.
  package var openLineage: JSON { .array(runs.map(\.openLineage)) }
}

extension LineageRun {
  var json: JSON {
    [
      "run": ["runId": .string(id.description)], "job": ["namespace": "almanac", "name": .string(jobName)],
      "eventTime": .string(CivilTime.formatTimestampMicros(commit.timeMicros)), "depth": .int(Int64(depth)),
      "message": .string(commit.message), "author": .string(commit.author), "producer": commit.producer,
      "inputs": .array(inputs.map(\.json)),
      "outputs": .array(
        outputs.map { ["type": "dataset", "name": .string($0.dataset), "root": .string($0.root), "rows": .int(Int64($0.rowCount))] }),
    ]
  }

  var openLineage: JSON {
    [
      "eventType": "COMPLETE", "eventTime": .string(CivilTime.formatTimestampMicros(commit.timeMicros)),
      "producer": .string(OpenLineage.producer), "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
      "run": ["runId": .string(OpenLineage.runID(of: id))], "job": ["namespace": "almanac", "name": .string(jobName)],
      "inputs": .array(inputs.map(\.openLineage)),
      "outputs": .array(outputs.map { OpenLineage.dataset("almanac", $0.dataset, version: "sha256:\($0.root)") }),
    ]
  }
}

extension LineageInput {
  var json: JSON {
    switch self {
    case .file(let name, let sha256, let byteCount, let rowCount, let dataset):
      var object: [String: JSON] = ["type": "file", "name": .string(name), "sha256": .string(sha256)]
      object["bytes"] = byteCount.map { .int($0) }
      object["rows"] = rowCount.map { .int($0) }
      object["dataset"] = dataset.map { .string($0) }
      return .object(object)
    case .version(let dataset, let root, let commit):
      return [
        "type": "dataset", "name": .string(dataset), "root": root.map { .string($0) } ?? .null, "commit": .string(commit.description),
      ]
    case .commit(let id): return ["type": "commit", "commit": .string(id.description)]
    case .recipe(let id, let service, let definition):
      return ["type": "recipe", "recipe": .string(id), "service": .string(service), "definition": .string(definition)]
    }
  }

  var openLineage: JSON {
    switch self {
    case .file(let name, let sha256, _, _, _):
      OpenLineage.dataset("file", name, version: sha256.isEmpty ? nil : "sha256:\(sha256)")
    case .version(let dataset, let root, _): OpenLineage.dataset("almanac", dataset, version: root.map { "sha256:\($0)" })
    case .commit(let id): OpenLineage.dataset("almanac.commits", id.description, version: "sha256:\(id)")
    case .recipe(let id, let service, _): OpenLineage.dataset("almanac.recipes", service, version: "sha256:\(id)")
    }
  }
}

private enum OpenLineage {
  static let producer = "https://github.com/almanac/almanac/v\(AlmanacVersion.text)"

  static func dataset(_ namespace: String, _ name: String, version: String?) -> JSON {
    var object: [String: JSON] = ["namespace": .string(namespace), "name": .string(name)]
    if let version {
      object["facets"] = [
        "version": [
          "_producer": .string(producer),
          "_schemaURL":
            "https://openlineage.io/spec/facets/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet",
          "datasetVersion": .string(version),
        ]
      ]
    }
    return .object(object)
  }

  /// Run ids are UUIDs: the first 16 bytes of the commit's id, marked as version 8 (RFC 9562), which leaves the bits to the maker.
  static func runID(of id: CommitID) -> String {
    var digits = Array(id.description.prefix(32))
    digits[12] = "8"
    digits[16] = "a"
    var text = ""
    for (index, digit) in digits.enumerated() {
      if [8, 12, 16, 20].contains(index) { text.append("-") }
      text.append(digit)
    }
    return text
  }
}
