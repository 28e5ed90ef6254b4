import Columns

/// A run of whole records of a file, with readable bytes behind its end, so that kernels may load whole words and vectors.
struct TextChunk: Sendable {
  /// Where the chunk starts in the file.
  let offset: Int
  let bytes: BufferSlice

  var end: Int { offset + bytes.byteCount }

  /// Bytes that may be loaded behind the end.
  static let slackByteCount = 64
  /// Long enough that its overhead does not show, short enough that a round of chunks stays in a third-level cache.
  static let byteCount = 4 << 20

  /// The longest record that is read: a missing quote, or a file of another format, must not ask for memory like the file's.
  static let recordByteCountMax = 256 << 20

  /// - Precondition: the range lies in the file.
  init(_ file: BufferSlice, _ range: Range<Int>) {
    offset = range.lowerBound
    if range.upperBound + TextChunk.slackByteCount <= file.byteCount {
      bytes = file.slice(byteOffset: range.lowerBound, byteCount: range.count)
    } else {
      // A mapped file may end with its last page.
      bytes = file.slice(byteOffset: range.lowerBound, byteCount: range.count).withBytes { TextChunk.padded($0) }
    }
  }

  static func padded(_ source: [UInt8]) -> BufferSlice { source.withUnsafeBytes { padded($0) } }

  /// A copy of the bytes with zeros behind.
  static func padded(_ source: UnsafeRawBufferPointer) -> BufferSlice {
    let copy = Buffer(byteCapacity: source.count)
    if let start = source.baseAddress { copy.pointer.copyMemory(from: start, byteCount: source.count) }
    (copy.pointer + source.count).initializeMemory(as: UInt8.self, repeating: 0, count: Buffer.slackByteCount)
    return BufferSlice(copy, byteCount: source.count)
  }
}

/// The batches of chunks that were parsed together, handed out one by one in the order of the file.
struct ParsedChunks: Sendable {
  private var batches: [(batch: Batch, end: Int)] = []
  private var next = 0
  private var failure: TextError?
  /// All bytes before this place have been handed out.
  private(set) var consumedByteCount: Int

  /// A chunk's batches, or why it has none.
  typealias Parsed = Result<[Batch], TextError>

  /// Chunks to a round: two for each of two processors, so that a slow one holds up little.
  static let roundChunkCount = 4

  init(consumedByteCount: Int) { self.consumedByteCount = consumedByteCount }

  /// The next batch; nil when another round is needed. What comes before a bad chunk is handed out first.
  mutating func pop() throws(TextError) -> Batch? {
    guard next < batches.count else {
      if let failure { throw failure }
      return nil
    }
    consumedByteCount = batches[next].end
    defer { next += 1 }
    return batches[next].batch
  }

  /// Parses the chunks in parallel.
  mutating func fill(_ chunks: [TextChunk], _ parse: @Sendable (TextChunk) -> Parsed) {
    guard let results = try? parallelMap(chunks, { chunk in parse(chunk) }) else { preconditionFailure("Parsing reports its failures") }
    batches = []
    next = 0
    for (chunk, result) in zip(chunks, results) {
      switch result {
      case .success(let parsed):
        for (index, batch) in parsed.enumerated() { batches.append((batch, index == parsed.count - 1 ? chunk.end : chunk.offset)) }
      case .failure(let error):
        failure = error
        return
      }
    }
  }
}
