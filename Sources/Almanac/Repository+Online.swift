import Columns
import Features
import History
import JSON
import Online

/// What `materialize` did.
package struct MaterializeReport: Sendable {
  package let number: Int
  package let commit: CommitID
  package let builtCount: Int
  package let reusedCount: Int
  /// Of all images of the generation.
  package let byteCount: Int
  /// What was damaged and taken away, in whole sentences.
  package var notes: [String] = []

  package var json: JSON {
    [
      "generation": .int(Int64(number)), "commit": .string(commit.description), "built": .int(Int64(builtCount)),
      "reused": .int(Int64(reusedCount)), "bytes": .int(Int64(byteCount)), "notes": .array(notes.map { .string($0) }),
    ]
  }
}

extension Repository {
  var generations: GenerationStore { GenerationStore(storeFolder: storeFolder) }

  /// Builds the image of every feature view at a commit and switches what is served, at one instant.
  ///
  /// Images whose definition and source rows have not changed are reused. Records of generations that are damaged are set aside.
  package func materialize(_ spec: String? = nil, progress: ProgressHandler? = nil) throws(AlmanacError) -> MaterializeReport {
    let id = try resolve(spec ?? "HEAD")
    let lease = try lease([id])
    defer { withExtendedLifetime(lease) {} }
    let commit = try commit(id)
    let definitions = try definitions(at: id)
    guard !definitions.features.views.isEmpty else {
      throw AlmanacError(
        .notFound, "There is nothing to materialize: no feature view is registered at commit \(id.short)",
        hint: "Declare views in features/ and run `almanac apply`.")
    }
    let source = CommitSource(archive: archive, commit: commit, definitions: definitions)
    let store = generations
    return try AlmanacError.translating {
      try store.refuseOtherFormats()
      var images: [String: String] = [:]
      var builtCount = 0
      var byteCount = 0
      for (index, view) in definitions.features.views.enumerated() {
        progress?("building \(view.name)", index, definitions.features.views.count)
        let name = GenerationStore.imageName(
          definition: definitions.definition(ofView: view.name), root: commit.datasets[view.source]?.root)
        if !store.hasImage(name, of: view.name) {
          try store.putImage(name, buildImage(view, source: source, buildTimeMicros: Self.nowMicros(), name: name))
          builtCount += 1
        }
        images[view.name] = name
        byteCount += try store.imageByteCount(name)
      }
      let lock = try store.lock()
      defer { withExtendedLifetime(lock) {} }
      // What is damaged can be made again, which is what happens here.
      let notes = try store.removeDamaged(isWrong: isWrong)
      let record = GenerationStore.Record(
        number: try store.nextNumber(), commit: id, images: images, previous: try store.currentNumber())
      try store.publish(record)
      return MaterializeReport(
        number: record.number, commit: id, builtCount: builtCount, reusedCount: images.count - builtCount, byteCount: byteCount,
        notes: notes)
    }
  }

  /// Serves again what was served before the current generation.
  package func rollbackGeneration() throws(AlmanacError) -> MaterializeReport {
    let store = generations
    return try AlmanacError.translating {
      let lock = try store.lock()
      defer { withExtendedLifetime(lock) {} }
      guard let current = try store.currentNumber() else { throw Self.nothingMaterialized }
      guard let previous = try store.record(current).previous else {
        throw AlmanacError(.notFound, "Cannot roll back: generation \(current) is the first")
      }
      let record = try store.record(previous)
      try checkUnsealed(record)
      // Nothing is switched to what could not be served.
      for (view, name) in record.images { _ = try store.image(name, of: view) }
      try store.switchCurrent(to: previous)
      let byteCount = try record.images.values.reduce(0) { try $0 + store.imageByteCount($1) }
      return MaterializeReport(
        number: previous, commit: record.commit, builtCount: 0, reusedCount: record.images.count, byteCount: byteCount)
    }
  }

  /// - Parameter buildTimeMicros: questions about earlier times are not for this image; the newest event's time when that is
  ///   earlier, so that an image over old data answers as far back as it can.
  /// - Parameter name: what it is called where it is kept.
  func buildImage(_ view: FeatureView, source: CommitSource, buildTimeMicros: Int64, name: String? = nil) throws -> [UInt8] {
    let compiled = try source.definitions.features.compile(view: view.name, source: source.table(view.source))
    let events = try ViewEvents.build(compiled, from: source)
    var newest = Int64.min
    if let times = events.times { for event in 0..<events.eventCount { newest = max(newest, times[event]) } }
    let buildTime = events.eventCount == 0 ? buildTimeMicros : min(buildTimeMicros, newest)
    return try GenerationBuilder.encode(view: compiled, events: events, buildTimeMicros: buildTime, image: name)
  }

  /// The generation to be served.
  func currentGeneration() throws -> (number: Int, commit: CommitID, generation: Generation) {
    let store = generations
    guard let number = try store.currentNumber() else { throw Self.nothingMaterialized }
    let record = try store.record(number)
    guard try archive.isStored(record.commit) else {
      throw AlmanacError(
        .io, "Cannot serve generation \(number): its commit \(record.commit.short) is not stored", hint: GenerationStore.rebuildHint)
    }
    try checkUnsealed(record)
    let definitions = try definitions(at: record.commit)
    var images: [String: ViewImage] = [:]
    for (view, name) in record.images { images[view] = try store.image(name, of: view) }
    return (number, record.commit, Generation(commit: record.commit.description, definitions: definitions.features, images: images))
  }

  /// What the images of a commit are called, by view.
  func imageNames(at id: CommitID) throws -> [String: String] {
    let definitions = try definitions(at: id)
    let datasets = try commit(id).datasets
    let names = definitions.features.views.map { view in
      (
        view.name,
        GenerationStore.imageName(definition: definitions.definition(ofView: view.name), root: datasets[view.source]?.root)
      )
    }
    return Dictionary(names, uniquingKeysWith: { first, _ in first })
  }

  /// A record without a checksum, of an earlier version of the program, counts as intact when it says what its commit gives.
  /// - Throws: `AlmanacError` of kind `io`
  private func checkUnsealed(_ record: GenerationStore.Record) throws {
    guard !record.isSealed, try record.images != imageNames(at: record.commit) else { return }
    throw AlmanacError(
      .io,
      "Cannot read the record of generation \(record.number): it has no checksum, and it is not what commit \(record.commit.short) gives",
      hint: GenerationStore.rebuildHint)
  }

  /// A generation of the same commit that answers for every time, from the commit's leaves.
  func historicGeneration(of id: CommitID) throws -> Generation {
    let definitions = try definitions(at: id)
    let source = CommitSource(archive: archive, commit: try commit(id), definitions: definitions)
    var images: [String: ViewImage] = [:]
    for view in definitions.features.views {
      let bytes = try buildImage(view, source: source, buildTimeMicros: .min)
      images[view.name] = try ViewImage(bytes: BufferSlice(copying: bytes))
    }
    return Generation(commit: id.description, definitions: definitions.features, images: images)
  }

  /// The features of one entity, as the server answers them.
  /// - Parameter keys: entity keys and their values as text.
  /// - Returns: the JSON body of `/get-online-features`.
  package func get(_ service: String, keys: [(String, String)], at: String?) throws(AlmanacError) -> [UInt8] {
    let online = try OnlineService(repository: self)
    var entities: [String: JSON] = [:]
    for (name, value) in keys { entities[name] = [.string(value)] }
    var body: [String: JSON] = ["feature_service": .string(service), "entities": .object(entities)]
    if let at { body["at"] = .string(at) }
    return try online.answer(.object(body))
  }

  static var nothingMaterialized: AlmanacError {
    AlmanacError(.notFound, "There is nothing to serve yet", hint: "Run `almanac materialize` first.")
  }
}

extension Definitions {
  /// A view with the entity it is about, as stored: what its image depends on besides rows.
  func definition(ofView name: String) -> JSON {
    let entity = features.view(named: name)?.entity
    func member(_ section: String, _ name: String?) -> JSON {
      (features.json[section]?.arrayValue ?? []).first { $0["name"]?.stringValue == name } ?? .null
    }
    return [
      "view": member("feature_views", name), "entity": member("entities", entity),
      "source": features.view(named: name).flatMap { contracts[$0.source]?.canonicalJSON } ?? .null,
    ]
  }
}
