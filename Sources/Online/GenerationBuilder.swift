import Columns
import Features
import JSON

/// Writes view images.
package enum GenerationBuilder {
  /// The image of a view at a build time: what questions about that time and later ones need of its events.
  ///
  /// Of every entity it keeps the newest event up to the build time, all later ones, and those that a window ending at the build
  /// time or later can hold. Equal views, events, build times and names give equal bytes.
  /// - Parameter image: what it is called where it is kept; nil for nowhere.
  /// - Throws: `unsupported` for a type whose name the format cannot hold, such as a time zone with a bracket.
  /// - Complexity: O(events)
  package static func encode(
    view: CompiledView, events: ViewEvents, buildTimeMicros: Int64, image: String? = nil
  ) throws(OnlineError) -> [UInt8] {
    let kept = events.retained(at: buildTimeMicros)
    let descriptor = ImageDescriptor(view, kept, image: image)
    let text = descriptor.json.canonicalBytes
    let readBack = text.withUnsafeBytes { try? ImageDescriptor(bytes: $0) }
    guard readBack == descriptor else {
      throw OnlineError(.unsupported, "Cannot write an image of view \(view.view.name): the name of one of its types cannot be read back")
    }
    var writer = ImageWriter(sectionCount: ImageFormat.sectionCount(featureCount: kept.features.count, hasKnown: kept.known != nil))
    text.withUnsafeBytes { writer.append($0) }
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
    if let known = kept.known { writer.append(known, count: kept.eventCount) }
    return writer.finish(buildTimeMicros: buildTimeMicros, entityCount: kept.entityCount, eventCount: kept.eventCount)
  }
}

/// Lays sections one behind the other and closes with the header. Sections of the same memory are written once.
private struct ImageWriter {
  private var bytes: [UInt8]
  private var table: [(offset: Int, byteCount: Int)] = []
  private var written: [Range<UInt>: Int] = [:]
  /// Keeps the memory behind `written` alive, so that no other can come to lie there.
  private var owners: [BufferSlice] = []
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

  mutating func append(_ slice: BufferSlice) {
    let start = UInt(bitPattern: slice.start)
    let place = start..<start + UInt(slice.byteCount)
    if let index = written[place] { return table.append(table[index]) }
    if slice.byteCount > 0 {
      written[place] = table.count
      owners.append(slice)
    }
    slice.withBytes { append($0) }
  }

  mutating func append(_ bits: Bitmap?) {
    guard let bits else { return appendEmpty() }
    let byteCount = (bits.count + 63) / 64 * 8
    if bits.bitOffset == 0, bits.count % 64 == 0 { return append(bits.slice.slice(byteOffset: 0, byteCount: byteCount)) }
    var words: [UInt64] = []
    words.reserveCapacity(byteCount / 8)
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
      append(values.data.slice(byteOffset: 0, byteCount: values.count * width))
      appendEmpty()
    } else if values.type == .bool {
      append(values.bits)
      appendEmpty()
    } else {
      let (start, end) = (Int(values.bytes.offsets[0]), Int(values.bytes.offsets[values.count]))
      append(values.data.slice(byteOffset: start, byteCount: end - start))
      // From zero on, whatever part of a longer column this is.
      if start == 0, let offsets = values.offsets {
        append(offsets.slice(byteOffset: 0, byteCount: (values.count + 1) * 8))
      } else {
        (0...values.count).map { values.bytes.offsets[$0] - Int64(start) }.withUnsafeBytes { append($0) }
      }
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
