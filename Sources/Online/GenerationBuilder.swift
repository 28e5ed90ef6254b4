import Columns
import Features
import JSON

/// Writes view images.
package enum GenerationBuilder {
  /// The image of a view at a build time: what questions about that time and later ones need of its events.
  ///
  /// Of every entity it keeps the newest event up to the build time, all later ones, and those that a window ending at the build
  /// time or later can hold. Equal views, events and build times give equal bytes.
  /// - Throws: `unsupported` for an event time or number that the format cannot hold.
  /// - Complexity: O(events)
  package static func encode(view: CompiledView, events: ViewEvents, buildTimeMicros: Int64) throws(OnlineError) -> [UInt8] {
    let kept = events.retained(at: buildTimeMicros)
    let descriptor = ImageDescriptor(view, kept)
    var writer = ImageWriter(sectionCount: ImageFormat.sectionCount(featureCount: kept.features.count))
    descriptor.json.canonicalBytes.withUnsafeBytes { writer.append($0) }
    writer.append(kept.index.slots, count: kept.index.slotCount)
    writer.append(kept.index.keyOffsets, count: kept.entityCount + 1)
    kept.index.keyBytes.withBytes { writer.append($0) }
    writer.append(kept.starts, count: kept.entityCount + 1)
    if let times = kept.times { writer.append(times, count: kept.eventCount) } else { writer.appendEmpty() }
    for feature in kept.features {
      switch feature {
      case .value(let values): writer.append(values, passing: nil)
      case .aggregate(let input): writer.append(input.values, passing: input.passing)
      }
    }
    return writer.finish(buildTimeMicros: buildTimeMicros, entityCount: kept.entityCount, eventCount: kept.eventCount)
  }
}

/// Lays sections one behind the other and closes with the header.
private struct ImageWriter {
  private var bytes: [UInt8]
  private var table: [(offset: Int, byteCount: Int)] = []
  private let sectionCount: Int

  init(sectionCount: Int) {
    self.sectionCount = sectionCount
    bytes = [UInt8](repeating: 0, count: ImageFormat.headerByteCount + sectionCount * 16)
  }

  mutating func append(_ section: UnsafeRawBufferPointer) {
    guard section.count > 0 else { return appendEmpty() }
    let padding = (ImageFormat.alignment - bytes.count % ImageFormat.alignment) % ImageFormat.alignment
    bytes.append(contentsOf: repeatElement(0, count: padding))
    table.append((bytes.count, section.count))
    bytes.append(contentsOf: section)
  }

  mutating func appendEmpty() { table.append((0, 0)) }

  mutating func append<Element>(_ values: Values<Element>, count: Int) {
    values.withPointer { append(UnsafeRawBufferPointer(start: $0, count: count * MemoryLayout<Element>.stride)) }
  }

  mutating func append(_ bits: Bitmap?) {
    guard let bits else { return appendEmpty() }
    var words: [UInt64] = []
    for index in stride(from: 0, to: bits.count, by: 64) { words.append(bits.word(at: index)) }
    words.withUnsafeBytes { append($0) }
  }

  mutating func append(_ values: Column?, passing: Bitmap?) {
    guard let values else {
      for _ in 0..<ImageFormat.FeatureSection.passing { appendEmpty() }
      return append(passing)
    }
    append(values.validity)
    if let width = values.type.byteWidth {
      values.data.slice(byteOffset: 0, byteCount: values.count * width).withBytes { append($0) }
      appendEmpty()
    } else if values.type == .bool {
      append(values.bits)
      appendEmpty()
    } else {
      // From zero on, whatever part of a longer column this is.
      let offsets = (0...values.count).map { values.bytes.offsets[$0] }
      let (start, end) = (Int(offsets[0]), Int(offsets[values.count]))
      values.data.slice(byteOffset: start, byteCount: end - start).withBytes { append($0) }
      offsets.map { $0 - offsets[0] }.withUnsafeBytes { append($0) }
    }
    append(passing)
  }

  consuming func finish(buildTimeMicros: Int64, entityCount: Int, eventCount: Int) -> [UInt8] {
    precondition(table.count == sectionCount, "There are \(table.count) sections, expected \(sectionCount)")
    typealias Offset = ImageFormat.Offset
    for (index, section) in table.enumerated() {
      store(UInt64(section.offset), at: ImageFormat.headerByteCount + index * 16)
      store(UInt64(section.byteCount), at: ImageFormat.headerByteCount + index * 16 + 8)
    }
    bytes.replaceSubrange(0..<8, with: ImageFormat.magic)
    store(ImageFormat.version, at: Offset.version)
    store(UInt32(sectionCount), at: Offset.sectionCount)
    store(UInt64(bytes.count), at: Offset.byteCount)
    store(buildTimeMicros, at: Offset.buildTime)
    store(UInt64(entityCount), at: Offset.entityCount)
    store(UInt64(eventCount), at: Offset.eventCount)
    store(checksum(ImageFormat.headerByteCount..<bytes.count), at: Offset.bodyChecksum)
    store(checksum(0..<Offset.headerChecksum), at: Offset.headerChecksum)
    return bytes
  }

  private func checksum(_ range: Range<Int>) -> UInt64 {
    bytes.withUnsafeBytes { XXH3.hash64(UnsafeRawBufferPointer(rebasing: $0[range]), seed: 0) }
  }

  private mutating func store<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at offset: Int) {
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self) }
  }
}
