import Columns

package struct CSVOptions: Sendable {
  /// The types wanted of columns, by name; columns that it does not name are inferred.
  package var types: Schema?
  /// nil: the one of comma, semicolon, tab and bar that the first record has, and where it has several, the one under which all
  /// records are of one length (`CSVDelimiterGuess`).
  package var delimiter: UInt8?
  /// Whether the first record holds names; otherwise columns are called `column_1`, `column_2`, ...
  package var hasHeader: Bool
  /// Texts that stand for null where they are not in quotes, besides the empty field, which always does: `NA`, `null`.
  package var nullTokens: [String]
  /// Columns whose numbers name something: where they are inferred as floats, a whole one must be that integer in the text, as
  /// `1.0` and `1e3` are. Nothing is asked of other values.
  package var wholeNumberColumns: Set<String> = []
  package var batchRowCount: Int
  /// How much of the file is read ahead to infer types.
  package var sampleByteCount: Int

  /// The least text that is parsed as one piece of work. Tests set it, to put the ends of pieces anywhere.
  package var chunkByteCount = TextChunk.byteCount
  /// The longest record that is read, at most 1 GiB.
  package var recordByteCountMax = TextChunk.recordByteCountMax

  /// Far more than most files have; looked through in a fifth of a second on two processors.
  package static let sampleByteCountDefault = 256 << 20

  /// - Precondition: the delimiter is a byte of ASCII other than the quote and those of line ends.
  package init(
    types: Schema? = nil, delimiter: UInt8? = nil, hasHeader: Bool = true, nullTokens: [String] = [], batchRowCount: Int = 64 << 10,
    sampleByteCount: Int = CSVOptions.sampleByteCountDefault
  ) {
    if let delimiter {
      precondition(delimiter < 0x80 && ![0x0A, 0x0D, CSVText.quote].contains(delimiter), "This byte cannot separate fields: \(delimiter)")
    }
    self.types = types
    self.delimiter = delimiter
    self.hasHeader = hasHeader
    self.nullTokens = nullTokens
    self.batchRowCount = max(1, batchRowCount)
    self.sampleByteCount = max(1, sampleByteCount)
  }
}
