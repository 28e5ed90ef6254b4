import Almanac
import ArgumentParser
import Columns
import JSON

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Convert between Parquet, Arrow, CSV and JSON Lines.",
    discussion: """
      Formats follow from the names: .parquet, .arrow or .feather (IPC file), .arrows (IPC stream), .csv, .tsv, .jsonl. Files are \
      read and written in pieces, so that memory does not follow their size.
      """)
  @OptionGroup var global: GlobalOptions
  @Argument(help: "The file to read, or - for standard input (its format is recognised).") var input: String
  @Argument(help: "The file to write, or - for standard output.") var output: String
  @Option(help: "Parquet: none, snappy, gzip, brotli, lz4 or zstd (default). Arrow: none (default), lz4 or zstd.") var codec: String?
  @Option(help: "Parquet: columns that get a Bloom filter, so that readers find single values fast: a,b.") var bloomFilter: String?
  @Option(help: "Only these columns, in this order: a,b,c.") var columns: String?
  @Option(
    parsing: .unconditional,
    help: "Expressions over the columns to write instead of them, as \"amount * 2 as twice, upper(name) as name\" (docs/expressions.md).")
  var select: String?
  @Option(name: .customLong("where"), parsing: .unconditional, help: "Only rows for which this expression is true, as \"amount > 0\".")
  var filter: String?
  @Option(help: "The output's format, if not that of its name: parquet, arrow, arrows, csv or jsonl.") var format: String?
  @Option(help: "CSV input: the character between fields (default: what the first line and the rows show).") var delimiter: String?
  @Option(help: "CSV output: the character between fields (default: a comma, or that of .tsv and .psv).") var outputDelimiter: String?
  @Flag(help: "CSV input: the first line holds values, not names; columns are then column_1, column_2, …") var noHeader = false
  @Option(name: .customLong("null"), help: "CSV input: a text that means null beside the empty field; may be repeated.")
  var nullTokens: [String] = []
  @Option(
    name: .customLong("type"),
    help: "CSV and JSON Lines input: a column's type instead of the inferred one, as amount=float64; may be repeated.")
  var types: [String] = []

  func run() throws {
    var request = Conversion.Request(input: input, output: output)
    request.types = try TypeArguments.schema(types)
    request.columns = columns?.split(separator: ",").map(String.init)
    request.codec = codec
    request.selection = select
    request.filter = filter
    request.bloomFilterColumns = bloomFilter?.split(separator: ",").map(String.init) ?? []
    request.format = try FormatArguments.format(format)
    request.reading.delimiter = try CSVArguments.delimiter(delimiter)
    request.outputDelimiter = try CSVArguments.delimiter(outputDelimiter)
    request.reading.hasHeader = !noHeader
    request.reading.nullTokens = nullTokens
    let report = try Conversion.run(request, progress: ProgressBar.handler(global))
    ProgressBar.clear()
    if global.json {
      return Terminal.out(["rows": .int(Int64(report.rowCount)), "columns": .int(Int64(report.columnCount)), "file": .string(output)])
    }
    if !TableOutput.isStandardOutput(output) {
      Terminal.out("Wrote \(Terminal.grouped(report.rowCount)) rows of \(report.columnCount) columns to \(output)")
    }
  }
}

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show a file's schema, row groups, encodings, sizes and statistics.",
    discussion: "Reads the footer of Parquet files, and the rows of others.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "The file, or - for standard input.") var file: String
  @Flag(help: "Parquet: list the pages of every column too.") var pages = false
  @Option(help: "CSV: the character between fields (default: what the first line and the rows show).") var delimiter: String?
  @Flag(help: "CSV: the first line holds values, not names.") var noHeader = false

  func run() throws {
    var reading = TableFileOptions()
    reading.delimiter = try CSVArguments.delimiter(delimiter)
    reading.hasHeader = !noHeader
    let inspection = try Inspection(path: file, includesPages: pages, options: reading)
    if global.json { return Terminal.out(inspection.json) }
    Terminal.out(InspectionText.lines(inspection).joined(separator: "\n"))
  }
}

enum FormatArguments {
  static func format(_ name: String?) throws -> FileFormat? {
    guard let name else { return nil }
    guard let format = FileFormat(rawValue: name) else {
      throw AlmanacError(.usage, "Unknown format \(name): expected parquet, arrow, arrows, csv or jsonl")
    }
    return format
  }
}

enum TypeArguments {
  /// The fields of `name=type` arguments; nil without any.
  static func schema(_ arguments: [String]) throws -> Schema? {
    guard !arguments.isEmpty else { return nil }
    return Schema(
      try arguments.map { argument in
        guard let split = argument.lastIndex(of: "="), let type = DataType(parsing: String(argument[argument.index(after: split)...]))
        else {
          throw AlmanacError(
            .usage, "Cannot read the type \(argument): expected COLUMN=TYPE, for example amount=float64",
            hint: "Types: bool, int8 to int64, uint8 to uint64, float32, float64, decimal(p,s), utf8, binary, date, timestamp[us,UTC].")
        }
        return Field(String(argument[..<split]), type)
      })
  }
}

enum CSVArguments {
  /// The delimiter that a command's option names: one ASCII character, or the words tab and \t.
  static func delimiter(_ text: String?) throws -> UInt8? {
    guard let text else { return nil }
    if text == "tab" || text == "\\t" { return UInt8(ascii: "\t") }
    guard text.utf8.count == 1, let byte = text.utf8.first, byte != UInt8(ascii: "\""), byte != 0x0A, byte != 0x0D else {
      throw AlmanacError(.usage, "Unknown delimiter \(text): expected one character, or tab")
    }
    return byte
  }
}
