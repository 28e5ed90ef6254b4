import Columns
import Crypto
import Features
import History
import JSON
import Objects
import Online

/// The generations of a repository on disk, under `online/` of its store:
/// images by name, one JSON file per generation, and `current`, which says what is served.
struct GenerationStore: Sendable {
  private let volume: LocalVolume

  init(storeFolder: String) { volume = LocalVolume(root: "\(storeFolder)/online") }

  struct Record: Sendable {
    let number: Int
    let commit: CommitID
    /// Image name by view name.
    let images: [String: String]
    /// What was served before this, for a rollback.
    let previous: Int?

    var json: JSON {
      [
        "format": 1, "number": .int(Int64(number)), "commit": .string(commit.description),
        "images": .object(images.mapValues { .string($0) }),
        "previous": previous.map { .int(Int64($0)) } ?? .null,
      ]
    }
  }

  /// The number of the generation to be served, nil before the first.
  func currentNumber() throws -> Int? {
    guard try volume.exists("current") else { return nil }
    guard let number = Int(String(decoding: try volume.read("current"), as: UTF8.self)) else {
      throw AlmanacError(.io, "Cannot read \(volume.absolutePath("current")): expected the number of a generation")
    }
    return number
  }

  func record(_ number: Int) throws -> Record {
    let path = "generations/\(number).json"
    let json: JSON
    do {
      json = try JSON(parsing: volume.read(path))
    } catch {
      throw AlmanacError(.io, "Cannot read the record of generation \(number), \(volume.absolutePath(path)): \(error)")
    }
    guard let commit = json["commit"]?.stringValue.flatMap({ CommitID(hex: $0) }), let images = json["images"]?.objectValue else {
      throw AlmanacError(.io, "Cannot read \(volume.absolutePath(path)): it is not the record of a generation")
    }
    return Record(
      number: number, commit: commit, images: images.compactMapValues(\.stringValue), previous: json["previous"]?.intValue.map(Int.init))
  }

  /// Held by whoever switches what is served, from taking a number to the switch.
  func lock() throws -> VolumeLock {
    try volume.makeDirectory("generations")
    return try volume.lock("switch.lock")
  }

  /// One above the highest number there is.
  func nextNumber() throws -> Int { (try numbers().max() ?? 0) + 1 }

  /// The generations that have a record, ascending.
  func numbers() throws -> [Int] { try volume.list("generations").compactMap { Int($0.dropLast(".json".count)) }.sorted() }

  func recordBytes(_ number: Int) throws -> [UInt8] { try volume.read("generations/\(number).json") }

  /// Whether the image is stored and intact. One that is damaged is as good as missing, since it can be built again.
  func hasImage(_ name: String) -> Bool { (try? image(name)) != nil }

  func imageByteCount(_ name: String) throws -> Int { try volume.byteCount("images/\(name)") ?? 0 }

  func putImage(_ name: String, _ bytes: [UInt8]) throws {
    try volume.makeDirectory("images")
    try volume.writeDurably("images/\(name)", bytes)
  }

  func image(_ name: String) throws -> ViewImage {
    let path = "images/\(name)"
    guard try volume.exists(path) else {
      throw AlmanacError(
        .io, "Cannot open \(volume.absolutePath(path)): the file is missing", hint: "Run `almanac materialize` to build it again.")
    }
    let file = try volume.map(path)
    return try ViewImage(bytes: BufferSlice(owner: file, start: file.start, byteCount: file.byteCount))
  }

  /// Makes a generation the one to be served, at one instant.
  func publish(_ record: Record) throws {
    try volume.writeDurably("generations/\(record.number).json", record.json.canonicalBytes)
    try switchCurrent(to: record.number)
  }

  func switchCurrent(to number: Int) throws { try volume.writeDurably("current", Array("\(number)".utf8)) }

  /// Equal views over equal rows have one image.
  static func imageName(definition: JSON, root: RootID?) -> String {
    let inputs: JSON = [
      "definition": definition, "root": root.map { .string($0.description) } ?? .null, "engine": .int(FeatureEngine.semanticsVersion),
    ]
    return SHA256.hash(data: inputs.canonicalBytes).hex + ".image"
  }
}
