import Columns
