import Columns
import Features

/// Reads an image in place; every length and offset is checked before it is used.
struct ImageReader {
  private let bytes: BufferSlice
  private let sections: [BufferSlice]
  let buildTimeMicros: Int64
  private let entityCount: Int
  private let eventCount: Int

  init(_ bytes: BufferSlice) throws(OnlineError) {
    typealias Offset = ImageFormat.Offset
    guard bytes.byteCount >= ImageFormat.headerByteCount else {
      throw Self.damaged("expected a header of \(ImageFormat.headerByteCount) bytes, found \(bytes.byteCount)")
    }
    // Sections are aligned from the image's start; bytes that do not start aligned are copied once.
    let bytes = UInt(bitPattern: bytes.start) % 16 == 0 ? bytes : bytes.withBytes { BufferSlice(copying: $0) }
    self.bytes = bytes
    func load<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type, _ offset: Int) -> Value {
      bytes.withBytes { Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Value.self)) }
    }
    func checksum(_ range: Range<Int>) -> UInt64 {
      bytes.withBytes { XXH3.hash64(UnsafeRawBufferPointer(rebasing: $0[range]), seed: 0) }
    }
    guard bytes.withBytes({ $0.prefix(8).elementsEqual(ImageFormat.magic) }) else { throw Self.damaged("it does not start with ALMVIEW1") }
    guard checksum(0..<Offset.headerChecksum) == load(UInt64.self, Offset.headerChecksum) else {
      throw Self.damaged("the header's checksum differs")
    }
    let version = load(UInt32.self, Offset.version)
    guard version == ImageFormat.version else {
      throw OnlineError(.version, "Cannot read a view image of version \(version), expected \(ImageFormat.version): materialize again")
    }
    guard load(UInt64.self, Offset.byteCount) == UInt64(bytes.byteCount) else {
      throw Self.damaged("expected \(load(UInt64.self, Offset.byteCount)) bytes, found \(bytes.byteCount)")
    }
    guard checksum(ImageFormat.headerByteCount..<bytes.byteCount) == load(UInt64.self, Offset.bodyChecksum) else {
      throw Self.damaged("the checksum of its contents differs")
    }
    buildTimeMicros = load(Int64.self, Offset.buildTime)
    let counts = (load(UInt64.self, Offset.entityCount), load(UInt64.self, Offset.eventCount))
    guard counts.0 < UInt64(Int32.max), counts.1 < UInt64(Int32.max) else { throw Self.damaged("its counts are out of range") }
    entityCount = Int(counts.0)
    eventCount = Int(counts.1)
    let sectionCount = Int(load(UInt32.self, Offset.sectionCount))
    guard bytes.byteCount >= ImageFormat.headerByteCount + sectionCount * 16 else { throw Self.damaged("its section table is cut off") }
    var sections: [BufferSlice] = []
    for index in 0..<sectionCount {
      let entry = ImageFormat.headerByteCount + index * 16
      let (offset, byteCount) = (load(UInt64.self, entry), load(UInt64.self, entry + 8))
      let total = UInt64(bytes.byteCount)
      guard offset <= total, byteCount <= total - offset, offset % UInt64(ImageFormat.alignment) == 0 else {
        throw Self.damaged("section \(index) lies outside of it")
      }
      sections.append(bytes.slice(byteOffset: Int(offset), byteCount: Int(byteCount)))
    }
    self.sections = sections
    guard sectionCount >= ImageFormat.Section.firstOfFeatures else { throw Self.damaged("it has \(sectionCount) sections") }
  }

  func descriptor() throws(OnlineError) -> ImageDescriptor {
    let section = sections[ImageFormat.Section.descriptor]
    return try section.withBytes { bytes throws(OnlineError) in try ImageDescriptor(bytes: bytes) }
  }

  func events(_ descriptor: ImageDescriptor) throws(OnlineError) -> ViewEvents {
    typealias Section = ImageFormat.Section
    guard sections.count == ImageFormat.sectionCount(featureCount: descriptor.features.count, hasKnown: descriptor.knowsByCreation)
    else {
      throw Self.damaged("\(sections.count) sections do not fit \(descriptor.features.count) features")
    }
    let slotBytes = sections[Section.slots]
    let index = EntityIndex(
      slots: Values(slotBytes, count: slotBytes.byteCount / 8), slotCount: slotBytes.byteCount / 8,
      keyOffsets: try values(Section.keyOffsets, entityCount + 1), keyBytes: sections[Section.keyBytes], count: entityCount)
    if let damage = index.damage { throw Self.damaged("its index is not sound: \(damage)") }
    let starts: Values<UInt32> = try values(Section.starts, entityCount + 1)
    var previous: UInt32 = 0
    for entity in 0...entityCount {
      guard starts[entity] >= previous, starts[entity] <= UInt32(eventCount) else {
        throw Self.damaged("entity \(entity) starts at event \(starts[entity])")
      }
      previous = starts[entity]
    }
    guard starts[0] == 0, Int(previous) == eventCount else { throw Self.damaged("its entities hold \(previous) of \(eventCount) events") }
    let times: Values<Int64>? = descriptor.isTimeless ? nil : try values(Section.times, eventCount)
    let known: Values<Int64>? = descriptor.knowsByCreation ? try values(sections.count - 1, eventCount) : nil
    var features: [FeatureEvents] = []
    for (number, feature) in descriptor.features.enumerated() {
      features.append(try self.feature(feature, at: Section.firstOfFeatures + number * ImageFormat.FeatureSection.count))
    }
    return ViewEvents(
      index: index, starts: starts, times: times, known: known, features: features,
      featureTypes: descriptor.features.map(\.type), ttlMicros: descriptor.ttlMicros, eventCount: eventCount)
  }

  private func feature(_ feature: ImageDescriptor.Feature, at first: Int) throws(OnlineError) -> FeatureEvents {
    var column: Column?
    if let type = feature.valueType { column = try self.column(type, at: first) }
    guard let function = feature.aggregate else {
      guard let column else { throw Self.damaged("feature \(feature.name) has no values") }
      return .value(column)
    }
    let passing = try bits(first + ImageFormat.FeatureSection.passing)
    return .aggregate(
      AggregateInput(function: function, window: feature.window, type: feature.type, values: column, passing: passing))
  }

  private func column(_ type: DataType, at first: Int) throws(OnlineError) -> Column {
    typealias Part = ImageFormat.FeatureSection
    let validity = try bits(first + Part.validity)
    let data = sections[first + Part.data]
    if let width = type.byteWidth {
      guard data.byteCount == eventCount * width else { throw Self.damaged("section \(first + Part.data) has \(data.byteCount) bytes") }
      return Column(type: type, count: eventCount, validity: validity, data: data)
    }
    if type == .bool {
      guard data.byteCount >= (eventCount + 7) / 8 else { throw Self.damaged("section \(first + Part.data) has \(data.byteCount) bytes") }
      return Column(type: type, count: eventCount, validity: validity, data: data)
    }
    let offsets: Values<Int64> = try values(first + Part.offsets, eventCount + 1)
    var previous: Int64 = 0
    for row in 0...eventCount {
      guard offsets[row] >= previous, offsets[row] <= Int64(data.byteCount) else {
        throw Self.damaged("value \(row) lies outside its section")
      }
      previous = offsets[row]
    }
    return Column(type: type, count: eventCount, validity: validity, data: data, offsets: sections[first + Part.offsets])
  }

  private func values<Element: BitwiseCopyable>(_ section: Int, _ count: Int) throws(OnlineError) -> Values<Element> {
    let expected = count * MemoryLayout<Element>.stride
    guard sections[section].byteCount == expected else {
      throw Self.damaged("section \(section) has \(sections[section].byteCount) bytes, expected \(expected)")
    }
    return Values(sections[section], count: count)
  }

  /// The bits of a section; nil for an empty one.
  private func bits(_ section: Int) throws(OnlineError) -> Bitmap? {
    let slice = sections[section]
    guard slice.byteCount > 0 else { return nil }
    guard slice.byteCount >= (eventCount + 7) / 8 else { throw Self.damaged("section \(section) has \(slice.byteCount) bytes") }
    return Bitmap(slice, count: eventCount)
  }

  private static func damaged(_ text: String) -> OnlineError { OnlineError(.damaged, "Cannot read a view image: \(text)") }
}
