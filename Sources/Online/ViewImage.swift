import Columns
import Features

/// The image of one view, usually a mapped file: answers what its features are worth at its build time or later.
package struct ViewImage: Sendable {
  package let descriptor: ImageDescriptor
  package let buildTimeMicros: Int64
  package let events: ViewEvents
  package let byteCount: Int
  private let isWhole: (@Sendable () -> Bool)?

  /// Checks the header, the checksums and every offset, so that no later lookup can read outside the bytes.
  ///
  /// - Parameters:
  ///   - bytes: the whole image; kept alive and read in place.
  ///   - isWhole: tells whether the bytes are still those that were checked, where they may go; nil where they stay.
  /// - Throws: `damaged` or `version`.
  /// - Complexity: O(bytes)
  package init(bytes: BufferSlice, isWhole: (@Sendable () -> Bool)? = nil) throws(OnlineError) {
    self.isWhole = isWhole
    let reader = try ImageReader(bytes)
    descriptor = try reader.descriptor()
    buildTimeMicros = reader.buildTimeMicros
    events = try reader.events(descriptor)
    byteCount = bytes.byteCount
  }

  /// To be asked before anything is looked up, as offsets are not checked again, and once more before it is believed.
  /// - Throws: `damaged` when bytes of the image have gone.
  package func checkWhole() throws(OnlineError) {
    guard let isWhole, !isWhole() else { return }
    throw OnlineError(
      .damaged, "Cannot read the image of view \(descriptor.view): its file was shortened, or its disk fails; materialize again")
  }

  /// What all features of the view are worth for one entity.
  ///
  /// - Parameter keys: in the order of the entity's keys, of the types it declares.
  /// - Throws: `beforeBuild` when `time` lies before the build time, `unprocessable` for keys that do not fit.
  package func lookup(keys: [Scalar], at time: Int64) throws(OnlineError) -> [FeatureValue] {
    guard keys.count == descriptor.keyTypes.count else {
      throw OnlineError(.unprocessable, "View \(descriptor.view) has \(descriptor.keyTypes.count) keys, found \(keys.count)")
    }
    var columns: [Column] = []
    for (key, type) in zip(keys, descriptor.keyTypes) {
      guard let column = Column(key, as: type) else {
        throw OnlineError(.unprocessable, "View \(descriptor.view): expected a key of type \(type), found \(key)")
      }
      columns.append(column)
    }
    let moment = try moment(of: entities(keys: columns)[0], at: time)
    return descriptor.features.indices.map { events.value(of: $0, at: moment) }
  }

  /// The entities of these keys; nil for unknown ones and for null keys.
  /// - Parameter keys: of `descriptor.keyTypes`, of equal length.
  package func entities(keys: [Column]) throws(OnlineError) -> [Int?] {
    let count = keys.first?.count ?? 0
    do {
      if keys.allSatisfy({ $0.nullCount == 0 }) {
        return events.index.findAll(try KeyEncoder.encodeAll(keys, rows: 0..<count)).map { $0 < 0 ? nil : Int($0) }
      }
      var entities = [Int?](repeating: nil, count: count)
      for row in 0..<count where keys.allSatisfy({ $0.isValid(row) }) {
        entities[row] = try KeyEncoder.encode(keys, row: row).withUnsafeBytes { events.index.find($0) }
      }
      return entities
    } catch {
      throw OnlineError(.unprocessable, "View \(descriptor.view): \(error)")
    }
  }

  /// - Throws: `beforeBuild`, but not for a timeless view, whose values hold at every time.
  package func moment(of entity: Int?, at time: Int64) throws(OnlineError) -> EntityMoment {
    guard time >= buildTimeMicros || descriptor.holdsAlways else {
      throw OnlineError(
        .beforeBuild,
        "View \(descriptor.view) was materialized as of \(CivilTime.formatTimestampMicros(buildTimeMicros)); "
          + "\(CivilTime.formatTimestampMicros(time)) lies before")
    }
    return events.moment(of: entity, at: time)
  }
}

extension Column {
  /// One row; nil when the value is not of the type.
  init?(_ scalar: Scalar, as type: DataType) {
    switch (scalar, type) {
    case (.null, _), (.bool, .bool), (.int, .int64), (.uint, .uint64), (.string, .string), (.binary, .binary), (.date, .date),
      (.timestamp(_, .microsecond), .timestamp(.microsecond, _)):
      self.init(type, [scalar])
    default: return nil
    }
  }
}
