import Columns

/// The encoded pages of a chunk before compression: all at once, or one after the other in the same memory.
struct PageBodies {
  /// Levels, then values.
  struct Body {
    let repetitionByteCount: Int
    let definitionByteCount: Int
    /// Valid until the next body is encoded.
    let bytes: UnsafeRawBufferPointer
  }

  private struct Place {
    let repetitionByteCount: Int
    let definitionByteCount: Int
    let range: Range<Int>
  }

  let plan: EncodingPlan
  let ranges: [PageRange]
  private let leaf: LeafColumn
  private let version: ParquetWriterOptions.PageVersion
  private var sink = ByteSink()
  private var dictionaryByteCount = 0
  /// Empty unless all pages have been encoded.
  private var places: [Place] = []

  init(leaf: LeafColumn, plan: EncodingPlan, ranges: [PageRange], version: ParquetWriterOptions.PageVersion) {
    self.leaf = leaf
    self.plan = plan
    self.ranges = ranges
    self.version = version
  }

  var pageCount: Int { ranges.count }

  // MARK: All at once

  mutating func encodeAll() {
    sink = ByteSink(byteCapacity: leaf.dense.byteCount(0..<leaf.dense.count) / 2)
    plan.encodeDictionary(into: &sink)
    dictionaryByteCount = sink.count
    for range in ranges { places.append(encode(range)) }
  }

  /// - Precondition: `encodeAll` was called.
  var dictionary: UnsafeRawBufferPointer { sink.bytes(0..<dictionaryByteCount) }

  /// - Precondition: `encodeAll` was called.
  func page(_ index: Int) -> Body { body(places[index]) }

  // MARK: One after the other

  mutating func nextDictionary() -> UnsafeRawBufferPointer {
    guard places.isEmpty else { return dictionary }
    sink.removeAll()
    plan.encodeDictionary(into: &sink)
    return sink.bytes
  }

  mutating func nextPage(_ index: Int) -> Body {
    guard places.isEmpty else { return page(index) }
    sink.removeAll()
    // First the bytes, then where they lie: they may have moved.
    let place = encode(ranges[index])
    return body(place)
  }

  private func body(_ place: Place) -> Body {
    Body(
      repetitionByteCount: place.repetitionByteCount, definitionByteCount: place.definitionByteCount, bytes: sink.bytes(place.range))
  }

  private mutating func encode(_ page: PageRange) -> Place {
    let start = sink.count
    let leaf = leaf
    let repetitions = encodeLevels(isPresent: leaf.layout.repetitionMax > 0) { leaf.encodeRepetitions(page, into: &$0) }
    let definitions = encodeLevels(isPresent: leaf.layout.definitionMax > 0) { leaf.encodeDefinitions(page, into: &$0) }
    plan.encode(page.values, into: &sink)
    return Place(repetitionByteCount: repetitions, definitionByteCount: definitions, range: start..<sink.count)
  }

  /// Returns how many bytes were written; in pages of version 1 their length stands in front.
  private mutating func encodeLevels(isPresent: Bool, _ body: (inout ByteSink) -> Void) -> Int {
    guard isPresent else { return 0 }
    let start = sink.count
    guard version == .v1 else {
      body(&sink)
      return sink.count - start
    }
    sink.append(length: 0)
    body(&sink)
    sink.patch(length: sink.count - start - 4, at: start)
    return sink.count - start
  }
}
