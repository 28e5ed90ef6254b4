import Columns
import Crypto
import Features
import History
import JSON
import Objects
import Online

/// The generations of a repository on disk, under `online/` of its store:
/// images by name, one JSON file per generation, and `current`, which says what is served (docs/format/generation.md).
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
    /// Whether it has a checksum. One without, of an earlier version of the program, must be what its commit gives.
    var isSealed = true

    var json: JSON {
      [
        "format": 1, "number": .int(Int64(number)), "commit": .string(commit.description),
        "images": .object(images.mapValues { .string($0) }),
        "previous": previous.map { .int(Int64($0)) } ?? .null,
      ]
    }
  }

  private static let currentPath = "current"
  static let rebuildHint = "Run `almanac materialize` to build it again."

  /// What another version of the program wrote is no damage, and is not written over.
  /// - Throws: `AlmanacError` of kind `io` that names the file.
  func refuseOtherFormats() throws {
    for path in try [Self.currentPath] + numbers().map(Self.recordPath) {
      guard let bytes = try? volume.read(path), let (json, isSealed) = try? SealedJSON.decode(bytes, damaged: { damaged(path, $0) }),
        isSealed, let format = json["format"], format != 1
      else { continue }
      throw AlmanacError(
        .io, "Cannot read \(volume.absolutePath(path)): expected format 1, found \(format.text())",
        hint:
          "Use the version of Almanac that wrote it, or move the folder online of the store away: `almanac materialize` builds all of it again."
      )
    }
  }

  /// The number of the generation to be served, nil before the first.
  /// - Throws: `AlmanacError` of kind `io` when it cannot be read or is not what was written.
  func currentNumber() throws -> Int? {
    let path = Self.currentPath
    guard try volume.exists(path) else { return nil }
    let bytes = try volume.read(path)
    // Versions before this one wrote the digits alone.
    if let number = Int(String(decoding: bytes, as: UTF8.self)), Array("\(number)".utf8) == bytes, number > 0 { return number }
    let (json, isSealed) = try SealedJSON.decode(bytes) { damaged(path, $0) }
    guard isSealed, json["format"] == 1, let number = json["generation"]?.intValue, let number = Int(exactly: number), number > 0 else {
      throw damaged(path, "expected the number of a generation")
    }
    return number
  }

  /// - Throws: `AlmanacError` of kind `io` when it cannot be read or is not what was written.
  func record(_ number: Int) throws -> Record {
    let path = Self.recordPath(number)
    let bytes: [UInt8]
    do {
      bytes = try volume.read(path)
    } catch {
      throw AlmanacError(
        .io, "Cannot read the record of generation \(number), \(volume.absolutePath(path)): \(error)", hint: Self.rebuildHint)
    }
    let (json, isSealed) = try SealedJSON.decode(bytes) { damaged(path, $0) }
    guard json["format"] == 1 else { throw damaged(path, "expected format 1, found \(json["format"]?.text() ?? "none")") }
    guard json["number"] == .int(Int64(number)) else { throw damaged(path, "it is not the record of generation \(number)") }
    guard let commit = json["commit"]?.stringValue.flatMap({ CommitID(hex: $0) }), let images = json["images"]?.objectValue,
      images.values.allSatisfy({ Self.isImageName($0.stringValue ?? "") })
    else { throw damaged(path, "it is not the record of a generation") }
    let record = Record(
      number: number, commit: commit, images: images.compactMapValues(\.stringValue),
      previous: json["previous"]?.intValue.flatMap { Int(exactly: $0) }, isSealed: isSealed)
    guard record.json == json, record.previous.map({ $0 > 0 && $0 < number }) ?? true else {
      throw damaged(path, "it is not the record of a generation")
    }
    return record
  }

  private func damaged(_ path: String, _ what: String) -> AlmanacError {
    AlmanacError(.io, "Cannot read \(volume.absolutePath(path)): \(what)", hint: Self.rebuildHint)
  }

  private static func recordPath(_ number: Int) -> String { "generations/\(number).json" }

  /// Held by whoever switches what is served, from taking a number to the switch.
  func lock() throws -> VolumeLock {
    try volume.makeDirectory("generations")
    return try volume.lock("switch.lock")
  }

  /// One above the highest number there ever was, as far as files tell: a server knows another generation by its number.
  func nextNumber() throws -> Int {
    let all = try volume.list("generations").compactMap { Self.number(of: $0) ?? Self.number(of: $0, suffix: Self.damagedSuffix) }
    return (all.max() ?? 0) + 1
  }

  private static let recordSuffix = ".json"
  private static let damagedSuffix = ".json.damaged"

  private static func number(of name: String, suffix: String = recordSuffix) -> Int? {
    guard let number = Int(name.dropLast(suffix.count)), name == "\(number)\(suffix)", (1..<numberMax).contains(number) else { return nil }
    return number
  }

  /// No generation has a greater number: names of files that do are not names of generations.
  private static let numberMax = 1 << 48

  /// The generations that have a record, ascending.
  func numbers() throws -> [Int] {
    try volume.list("generations").compactMap { Self.number(of: $0) }.sorted()
  }

  /// Whether the image is stored, intact, and says itself which one it is. Any other is as good as missing, since it can be built again.
  func hasImage(_ name: String, of view: String) -> Bool { (try? image(name, of: view).descriptor.image) == name }

  func imageByteCount(_ name: String) throws -> Int { try volume.byteCount("images/\(name)") ?? 0 }

  func putImage(_ name: String, _ bytes: [UInt8]) throws {
    try volume.makeDirectory("images")
    try volume.writeDurably("images/\(name)", bytes)
  }

  private func image(_ name: String) throws -> ViewImage {
    let path = "images/\(name)"
    guard try volume.exists(path) else {
      throw AlmanacError(.io, "Cannot open \(volume.absolutePath(path)): the file is missing", hint: Self.rebuildHint)
    }
    // Answers come from it as long as it is served, so it is asked each time whether it is all there.
    let file = try volume.map(path, staysOpen: true)
    return try ViewImage(bytes: BufferSlice(owner: file, start: file.start, byteCount: file.byteCount)) { file.isWhole }
  }

  /// The image that a record names for a view.
  func image(_ name: String, of view: String) throws -> ViewImage {
    let image = try image(name)
    guard image.descriptor.view == view else {
      throw damaged("images/\(name)", "it is the image of \(image.descriptor.view), not of \(view)")
    }
    // Earlier versions wrote no name into it.
    guard image.descriptor.image ?? name == name else {
      throw damaged("images/\(name)", "it is another image of \(view), \(image.descriptor.image ?? "")")
    }
    return image
  }

  /// Makes a generation the one to be served, at one instant.
  func publish(_ record: Record) throws {
    try volume.writeDurably(Self.recordPath(record.number), SealedJSON.bytes(record.json))
    try switchCurrent(to: record.number)
  }

  func switchCurrent(to number: Int) throws {
    try volume.writeDurably(Self.currentPath, SealedJSON.bytes(["format": 1, "generation": .int(Int64(number))]))
  }

  /// Sets records aside that cannot be read or are wrong, and takes away the note of what is served if it cannot be or names none: they can be made again,
  /// and nobody can tell what they were.
  /// - Parameter isWrong: whether a record that can be read is not that of a generation of its commit.
  /// - Returns: what was done, a sentence each.
  func removeDamaged(isWrong: (Record) -> Bool) throws -> [String] {
    var done: [String] = []
    try refuseOtherFormats()
    for number in try numbers() where (try? record(number)).map(isWrong) ?? true {
      try volume.move(Self.recordPath(number), to: "generations/\(number)\(Self.damagedSuffix)")
      done.append("set the damaged record of generation \(number) aside")
    }
    let isLost: Bool
    do {
      isLost = try currentNumber().map { try !numbers().contains($0) } ?? false
    } catch {
      isLost = true
    }
    if isLost {
      try volume.remove(Self.currentPath)
      done.append("removed the damaged note of which generation is served; `almanac materialize` makes one to be served")
    }
    if !done.isEmpty { try volume.syncFolders(["", "generations"]) }
    return done
  }

  /// Whether nothing was ever materialized.
  func isUnused() throws -> Bool { try numbers().isEmpty && !volume.exists(Self.currentPath) }

  /// Equal views over equal rows have one image.
  static func imageName(definition: JSON, root: RootID?) -> String {
    let inputs: JSON = [
      "definition": definition, "root": root.map { .string($0.description) } ?? .null, "engine": .int(FeatureEngine.semanticsVersion),
    ]
    return SHA256.hash(data: inputs.canonicalBytes).hex + ".image"
  }

  private static func isImageName(_ name: String) -> Bool {
    name.hasSuffix(".image") && name.utf8.count == 64 + ".image".utf8.count && RootID(hex: name.prefix(64)) != nil
  }
}

/// Canonical JSON with a checksum of itself: the member `sha256` is the SHA-256 of the canonical JSON without it.
enum SealedJSON {
  private static let member = "sha256"

  /// - Parameter json: an object.
  static func bytes(_ json: JSON) -> [UInt8] {
    var members = json.objectValue ?? [:]
    members[member] = .string(SHA256.hash(data: json.canonicalBytes).hex)
    return JSON.object(members).canonicalBytes
  }

  /// - Parameter damaged: makes an error of what is wrong.
  /// - Returns: the object without its checksum, and whether it had one.
  /// - Throws: unless the bytes are the canonical JSON of an object that is what its checksum, if it has one, says.
  static func decode(_ bytes: [UInt8], damaged: (String) -> AlmanacError) throws -> (json: JSON, isSealed: Bool) {
    let json: JSON
    do {
      json = try JSON(parsing: bytes)
    } catch {
      throw damaged("\(error)")
    }
    guard var members = json.objectValue, json.canonicalBytes == bytes else { throw damaged("it is not canonical JSON of an object") }
    guard let stored = members.removeValue(forKey: member) else { return (json, false) }
    let found = SHA256.hash(data: JSON.object(members).canonicalBytes).hex
    guard stored == .string(found) else { throw damaged("expected SHA-256 \(stored.stringValue ?? "none"), found \(found)") }
    return (.object(members), true)
  }
}
