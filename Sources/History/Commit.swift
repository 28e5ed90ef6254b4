import JSON
import Objects

/// What a commit says of one dataset.
package struct DatasetRef: Hashable, Sendable {
  package let root: RootID
  package let rows: Int

  package init(root: RootID, rows: Int) {
    self.root = root
    self.rows = rows
  }
}

/// One state of a whole repository, and where it comes from.
package struct Commit: Hashable, Sendable {
  /// The first is the state this one was made from; none for the first commit; two for a merge.
  package var parents: [CommitID]
  package var datasets: [String: DatasetRef]
  package var definitions: BlobID
  package var author: String
  package var message: String
  /// Microseconds since 1970 UTC.
  package var timeMicros: Int64
  /// Commits and files it was made from, with digests.
  package var inputs: [JSON]
  /// Program, code revision, parameters.
  package var producer: JSON
  package var verdicts: BlobID?

  package init(
    parents: [CommitID], datasets: [String: DatasetRef], definitions: BlobID, author: String, message: String,
    timeMicros: Int64, inputs: [JSON] = [], producer: JSON = .object([:]), verdicts: BlobID? = nil
  ) {
    self.parents = parents
    self.datasets = datasets
    self.definitions = definitions
    self.author = author
    self.message = message
    self.timeMicros = timeMicros
    self.inputs = inputs
    self.producer = producer
    self.verdicts = verdicts
  }

  static let format: Int64 = 1

  /// The members of docs/format/repository.md; `verdicts` only if there are any.
  package var json: JSON {
    var members: [String: JSON] = [
      "format": .int(Self.format), "parents": .array(parents.map { .string($0.hex) }),
      "datasets": .object(datasets.mapValues { .object(["root": .string($0.root.hex), "rows": .int(Int64($0.rows))]) }),
      "definitions": .string(definitions.hex), "author": .string(author), "message": .string(message),
      "time": .int(timeMicros), "inputs": .array(inputs), "producer": producer,
    ]
    if let verdicts { members["verdicts"] = .string(verdicts.hex) }
    return .object(members)
  }

  /// RFC 8785; the SHA-256 of these bytes is the commit's id.
  package var canonicalBytes: [UInt8] { json.canonicalBytes }

  package var id: CommitID { CommitID(bytes: Checksum.sha256(canonicalBytes)) }

  init(decoding bytes: [UInt8], object: String) throws(StoreError) {
    let fields = try StoredJSON(bytes, object: object, format: Self.format)
    parents = []
    for item in try fields.array("parents") {
      guard case .string(let text) = item, let id = CommitID(hex: text) else {
        throw fields.corrupt("expected 64 hexadecimal digits as each of parents")
      }
      parents.append(id)
    }
    datasets = [:]
    for (name, value) in try fields.members("datasets") {
      let dataset = StoredJSON(value, object: "dataset \(name) of \(object)")
      datasets[name] = DatasetRef(root: try dataset.id("root"), rows: try dataset.count("rows"))
    }
    definitions = try fields.id("definitions")
    author = try fields.string("author")
    message = try fields.string("message")
    timeMicros = try fields.integer("time")
    inputs = try fields.array("inputs")
    producer = try fields.value("producer")
    verdicts = fields.json["verdicts"] == nil ? nil : try fields.id("verdicts")
  }
}
